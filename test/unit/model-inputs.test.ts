import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, sha256 } from "../../src/model/digest.ts";
import {
  type Inputs,
  joinBuildKey,
  joinRecipeKey,
  joinSuiteHash,
  joinVerdictKey,
  keysOf,
  policyJson,
} from "../../src/model/inputs.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

const INPUTS: Inputs = {
  schema_version: 1,
  manifest_id: "demo",
  cell_id: "demo.linux-amd64",
  platform: "linux/amd64",
  template: { id: "plain", version: "0.1.0", digest: DIGEST },
  fragments: [{ name: "core", version: "0.1.0", digest: DIGEST }],
  args: { port: 8080 },
  dockerfile: "FROM debian:bookworm-slim\n",
  files: [{ path: "fragments/core/0.1.0/a", mode: "0644", sha256: DIGEST }],
  images: [{ role: "base", ref: "debian:bookworm-slim", digest: DIGEST }],
  environment: { SOURCE_DATE_EPOCH: "0" },
  tests: [{ from: "core", id: "runs", timeout_s: 5, check: null }],
  gpus: null,
  limits: { memory_mb: 256, pids: 64, timeout_s: 30 },
};

/** Which keys differ between two inputs. */
function differing(left: Inputs, right: Inputs): string[] {
  const [one, other] = [keysOf(left), keysOf(right)];
  return Object.keys(one).filter(
    (name) => one[name as keyof typeof one] !== other[name as keyof typeof other],
  );
}

const BUILD = ["build_key", "verdict_key"];
const ALL = ["recipe_key", ...BUILD];

describe("the keys of a cell's inputs", () => {
  it.each<[string, Partial<Inputs>, string[]]>([
    ["the Dockerfile", { dockerfile: "FROM debian:bookworm\n" }, ALL],
    ["a file's path", { files: [{ ...INPUTS.files[0]!, path: "b" }] }, ALL],
    ["a file's mode", { files: [{ ...INPUTS.files[0]!, mode: "0755" }] }, ALL],
    ["a file's contents", { files: [{ ...INPUTS.files[0]!, sha256: `sha256:${"b".repeat(64)}` }] }, ALL],
    ["one file more", { files: [...INPUTS.files, { ...INPUTS.files[0]!, path: "z" }] }, ALL],
    ["the platform", { platform: "linux/arm64" }, BUILD],
    ["an image's digest", { images: [{ ...INPUTS.images[0]!, digest: null }] }, BUILD],
    ["an image's reference", { images: [{ ...INPUTS.images[0]!, ref: "debian" }] }, BUILD],
    ["an image's role", { images: [{ ...INPUTS.images[0]!, role: "copy" }] }, BUILD],
    ["the environment", { environment: { SOURCE_DATE_EPOCH: "1" } }, BUILD],
    ["a test", { tests: [{ ...INPUTS.tests[0]!, timeout_s: 6 }] }, ["test_suite_hash", "verdict_key"]],
    ["the GPUs", { gpus: "all" }, ["verdict_key"]],
    ["a limit", { limits: { ...INPUTS.limits, pids: 65 } }, ["verdict_key"]],
    ["the arguments, which the Dockerfile holds already", { args: { port: 1 } }, []],
  ])("that change with %s", (_, change, keys) => {
    expect(differing(INPUTS, { ...INPUTS, ...change })).toEqual(keys);
  });

  it("are hashes of the canonical JSON of their parts", () => {
    const json = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(
        fc.array(json),
        fc.string(),
        fc.dictionary(fc.string(), fc.string()),
        (list, text, environment) => {
          const items = list.map((value) => canonicalJson(value)).join(",");
          const hashOf = (document: object) => sha256(canonicalJson(document));
          expect(joinRecipeKey(DIGEST, items)).toBe(
            hashOf({ dockerfile: DIGEST, files: list, scheme: "factory/recipe/1" }),
          );
          const parts = {
            imagesJson: items,
            platformJson: canonicalJson(text),
            environmentJson: canonicalJson(environment),
          };
          expect(joinBuildKey(DIGEST, parts)).toBe(
            hashOf({
              environment,
              images: list,
              platform: text,
              recipe_key: DIGEST,
              scheme: "factory/build/2",
            }),
          );
          expect(joinSuiteHash(items)).toBe(hashOf({ gpus: null, scheme: "factory/suite/1", tests: list }));
          const { gpus, limits } = INPUTS;
          expect(joinVerdictKey(DIGEST, DIGEST, policyJson(gpus, limits))).toBe(
            hashOf({ build_key: DIGEST, gpus, limits, scheme: "factory/verdict/1", tests: DIGEST }),
          );
        },
      ),
    );
  });
});
