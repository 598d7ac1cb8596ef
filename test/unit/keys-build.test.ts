import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../src/catalog/open.ts";
import { canonicalJson, digestOf, sha256 } from "../../src/model/digest.ts";
import { stitch, type Target } from "../../src/stitch/stitch.ts";
import { type Files, makeCatalog, makeWorkspace, SMALL } from "./workspace.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const target: Target = { digestOf: () => DIGEST, platform: "linux/amd64" };
const keysOf = (files: Files = {}, args: Record<string, string> = {}, more: Target = {}) => {
  const { recipe_key, build_key, verdict_key } = stitch(
    makeCatalog(files),
    "demo",
    { args },
    { ...target, ...more },
  );
  return { recipe_key, build_key, verdict_key };
};

/** A file of the small workspace with a part replaced. */
function change(file: string, from: string, to: string): Files {
  const text = SMALL[file] ?? "";
  if (!text.includes(from)) throw new Error(`${file} holds no ${from}`);
  return { [file]: text.replace(from, to) };
}

describe("the build key", () => {
  it.each([
    ["a fragment's Dockerfile", change("fragments/core/0.1.1/Dockerfile.hbs", "--fast", "--slow")],
    ["a comment in it", change("fragments/core/0.1.1/Dockerfile.hbs", "RUN", "# a\nRUN")],
    ["a file's contents", { "fragments/app/0.1.0/server.py": "print('hallo')\n" }],
    ["a byte of a file in a folder", { "fragments/app/0.1.0/data/b.txt": "b" }],
    ["a file more in a folder", { "fragments/app/0.1.0/data/c.txt": "" }],
    ["a file less in a folder", { "fragments/app/0.1.0/data/b.txt": null }],
    ["a file's name", { "fragments/app/0.1.0/data/b.txt": null, "fragments/app/0.1.0/data/c.txt": "b\n" }],
    ["an argument in the manifest", change("manifests/demo.yaml", "8080}", "8081}")],
    ["an argument's default", change("fragments/core/0.1.1/fragment.yaml", "python3", "python4")],
    ["the base", change("manifests/demo.yaml", "bookworm", "trixie")],
    ["the template", change("templates/plain/0.1.0/Dockerfile.hbs", "AS base\n", "AS base\nUSER root\n")],
    ["a fragment's version", change("manifests/demo.yaml", "core: ~0.1", "core: 0.1.0")],
    ["a fragment more", change("manifests/demo.yaml", "{core", "{extra: 0.1.0, core")],
    ["the manifest's summary, which is a label", change("manifests/demo.yaml", "A demonstration", "Another")],
  ])("changes with %s", (_, files) => {
    const [before, after] = [keysOf(), keysOf(files)];
    expect(after.recipe_key).not.toBe(before.recipe_key);
    expect(after.build_key).not.toBe(before.build_key);
    expect(after.verdict_key).not.toBe(before.verdict_key);
  });

  it("changes with a value from the command line, the platform, a digest and the environment", () => {
    const all = [
      keysOf(),
      keysOf({}, { port: "8081" }),
      keysOf({}, {}, { platform: "linux/arm64" }),
      keysOf({}, {}, { platform: null }),
      keysOf({}, {}, { digestOf: () => `sha256:${"2".repeat(64)}` }),
      keysOf({}, {}, { digestOf: () => null }),
      keysOf({}, {}, { environment: { SOURCE_DATE_EPOCH: "1" } }),
      keysOf({}, {}, { environment: { SOURCE_DATE_EPOCH: "2" } }),
    ];
    expect(new Set(all.map(({ build_key }) => build_key)).size).toBe(all.length);
    // Before digests, platform and environment are known, there is the value alone.
    expect(new Set(all.map(({ recipe_key }) => recipe_key)).size).toBe(2);
  });

  it.each([
    ["a file", "fragments/app/0.1.0/server.py"],
    ["a file in a folder", "fragments/app/0.1.0/data/a.txt"],
  ])("changes where %s becomes executable", (_, path) => {
    const root = makeWorkspace();
    const key = () => stitch(openCatalog(root), "demo").recipe_key;
    const before = key();
    chmodSync(join(root, path), 0o755);
    expect(key()).not.toBe(before);
  });

  it.each([
    ["a file that its group may write", "fragments/app/0.1.0/server.py", 0o664],
    ["a file that nobody else may read", "fragments/app/0.1.0/data/a.txt", 0o600],
    ["a file with a bit of its own", "fragments/app/0.1.0/data/a.txt", 0o4644],
    ["a folder that nobody else may read", "fragments/app/0.1.0/data", 0o700],
    ["a folder that its group may write", "fragments/app/0.1.0/data", 0o2775],
  ])("is that of git's modes for %s", (_, path, mode) => {
    const root = makeWorkspace();
    const before = stitch(openCatalog(root), "demo");
    chmodSync(join(root, path), mode);
    const after = stitch(openCatalog(root), "demo");
    expect(after.recipe_key).toBe(before.recipe_key);
    expect(new Set(after.files.map((file) => file.mode))).toEqual(new Set(["0644", "0755"]));
  });

  it.each([
    [
      "a fragment's summary",
      change("fragments/core/0.1.1/fragment.yaml", "order", "summary: Another\norder"),
    ],
    ["an argument's summary", change("fragments/app/0.1.0/fragment.yaml", "Where it listens", "Another")],
    ["a template's summary", change("templates/plain/0.1.0/template.yaml", "A chain", "Another")],
    [
      "an argument that the Dockerfile does not use",
      change("fragments/core/0.1.1/fragment.yaml", "}}", "}, b: {type: string, default: x}}"),
    ],
    ["a comment in YAML", change("manifests/demo.yaml", "args:", "# a comment\nargs:")],
    [
      "a fragment beside",
      {
        "fragments/core/0.9.0/fragment.yaml": "schema_version: 1\nname: core\nversion: 0.9.0\norder: 1\n",
        "fragments/core/0.9.0/Dockerfile.hbs": "",
      },
    ],
    ["a plan", change("control_plane/plans/grid.yaml", "0.2.0, ", "")],
    ["a file that nothing copies", { "fragments/app/0.1.0/README.md": "x" }],
    ["the repositories", { "factory.yaml": "schema_version: 1\nrepository: elsewhere/team\n" }],
    ["a test's summary", change("manifests/demo.yaml", "It answers", "Another")],
  ])("stays, and so does the verdict key, with %s", (_, files) => {
    expect(keysOf(files)).toEqual(keysOf());
  });

  it.each([
    [
      "a test more",
      change("manifests/demo.yaml", "smoke:", "smoke:\n  - {id: b, command: {argv: ['true']}}"),
    ],
    [
      "a test less",
      change(
        "manifests/demo.yaml",
        "smoke:\n  - {id: answers, summary: It answers, http: {port: 8080, path: /}}\n",
        "",
      ),
    ],
    ["a test's id", change("manifests/demo.yaml", "id: answers", "id: replies")],
    ["what a test checks", change("manifests/demo.yaml", "path: /}", "path: /x}")],
    [
      "a fragment's test",
      change(
        "fragments/app/0.1.0/fragment.yaml",
        "order",
        "smoke: [{id: a, command: {argv: ['true']}}]\norder",
      ),
    ],
    ["the containers' limits", { "factory.yaml": "schema_version: 1\nsmoke: {pids: 9}\n" }],
    ["the GPUs", change("manifests/demo.yaml", "args:", "gpus: 1\nargs:")],
  ])("stays, while the verdict key changes, with %s", (_, files) => {
    const [before, after] = [keysOf(), keysOf(files)];
    expect(after.build_key).toBe(before.build_key);
    expect(after.verdict_key).not.toBe(before.verdict_key);
  });
});

describe("sha256", () => {
  it("is that of the text's UTF-8, or of the bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ud800a"), fc.uint8Array()),
        (data) => {
          expect(sha256(data)).toBe(`sha256:${createHash("sha256").update(data).digest("hex")}`);
        },
      ),
    );
  });
});

describe("canonical JSON", () => {
  it("is what RFC 8785 says", () => {
    const numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0];
    expect(canonicalJson({ numbers, literals: [null, true, false], string: '€$\u000f\nA\'B"\\\\"/' })).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(canonicalJson({ "\ud83d\ude00": 1, "\ufb33": 2, "€": 3, "\r": 4, "1": 5 })).toBe(
      '{"\\r":4,"1":5,"€":3,"😀":1,"\ufb33":2}',
    );
  });

  it("is one text for one value, and is JSON for it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("does not depend on the order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(digestOf(reversed)).toBe(digestOf(value));
      }),
    );
  });

  it.each([[undefined], [Number.NaN], [Number.POSITIVE_INFINITY], ["\ud800"], [{ "\udc00": 1 }], [[1n]]])(
    "has no form for %o",
    (value) => {
      expect(() => canonicalJson(value)).toThrow();
    },
  );
});
