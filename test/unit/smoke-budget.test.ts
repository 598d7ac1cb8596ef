import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ImageContents, OwnedLayer, OwnedPackage } from "../../src/model/image-contents.ts";
import { checkOf } from "../../src/model/suite.ts";
import { entryOwners } from "../../src/sbom/layer-origin.ts";
import type { BudgetTest } from "../../src/schemas/types.ts";
import { allowedBy } from "../../src/smoke/kinds/allowed-licenses.ts";
import type { Tools } from "../../src/smoke/kinds/kind.ts";
import { KINDS, runCheck } from "../../src/smoke/kinds/kinds.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { NO_CONTENTS, NO_SCRIPTS } from "./no-scripts.ts";
import { makeCatalog, errorFrom, SMALL } from "./workspace.ts";

const LAYERS: OwnedLayer[] = [
  { owner: "base", bytes: 1000 },
  { owner: "core", bytes: 70 },
  { owner: "core", bytes: 0 },
  { owner: "core", bytes: 31 },
  { owner: "template", bytes: 5 },
];

const PACKAGES: OwnedPackage[] = [
  { name: "libc6", version: "2.36", owner: "base", licenses: [] },
  { name: "left-pad", version: "1.3.0", owner: "core", licenses: ["MIT"] },
  { name: "both", version: "2", owner: "core", licenses: ["GPL-3.0-only OR (MIT AND Zlib)"] },
];

function ask(budget: BudgetTest, contents: Partial<ImageContents> = {}) {
  const check = checkOf({ id: "x", budget }, NO_SCRIPTS.text);
  if (!check) throw new Error("no check");
  const tools = {
    image: { RootFS: { Layers: ["a", "b", "c"] } },
    unpackedSize: () => Promise.resolve(1106),
    ...NO_CONTENTS,
    layers: () => Promise.resolve(LAYERS),
    packages: () => Promise.resolve(PACKAGES),
    ...contents,
  } as unknown as Tools;
  return runCheck(check, tools, 1000);
}

describe("a budget of a fragment", () => {
  it("counts the bytes and layers of that owner alone", async () => {
    expect(await ask({ of: "core", size: "101 B", layers: 2 })).toMatchObject({ status: "pass" });
    expect(await ask({ of: "core", size: "100 B", layers: 1 })).toEqual({
      status: "fail",
      expected: "at most 1 layers of core; at most 100 B unpacked of core",
      actual: "2 layers; 101 B (101 bytes)",
    });
    expect(await ask({ of: "base", size: "1000 B", layers: 1 })).toMatchObject({ status: "pass" });
    expect(await ask({ of: "light", size: "0 B", layers: 0 })).toMatchObject({ status: "pass" });
  });

  it("counts its packages, and those of the whole image without an owner", async () => {
    expect(await ask({ of: "core", packages: 2 })).toMatchObject({ status: "pass", actual: "2 packages" });
    expect(await ask({ of: "core", packages: 1 })).toMatchObject({ status: "fail" });
    expect(await ask({ packages: 3 })).toMatchObject({ status: "pass" });
    expect(await ask({ packages: 2 })).toMatchObject({ status: "fail", actual: "3 packages" });
  });

  it("names the packages whose licence is not in the list, at most ten of them", async () => {
    expect(await ask({ of: "core", licenses: ["MIT", "Zlib"] })).toMatchObject({
      status: "pass",
      actual: "those of 2 packages are",
    });
    expect(await ask({ of: "core", licenses: ["MIT"] })).toEqual({
      status: "fail",
      expected: "only licences of the list in core",
      actual: '"both" "2": "GPL-3.0-only OR (MIT AND Zlib)"',
    });
    expect(await ask({ licenses: ["MIT", "Zlib"] })).toMatchObject({
      status: "fail",
      actual: '"libc6" "2.36": nothing says it',
    });
    expect(await ask({ licenses: ["MIT", "Zlib", "NOASSERTION"] })).toMatchObject({ status: "pass" });
    const many = Array.from({ length: 12 }, (_, at) => ({
      name: `p${at}\u001b[2J<`,
      version: "1",
      owner: "core",
      licenses: ["Evil"],
    }));
    const told = await ask({ licenses: ["MIT"] }, { packages: () => Promise.resolve(many) });
    expect(told.actual).toContain("and 2 more");
    expect(told.actual).not.toContain("\u001b");
  });

  it("is an error, and no verdict, where nothing tells whose something is", async () => {
    const error = { error: "the image's history does not have the steps of the Dockerfile" };
    const layers = () => Promise.resolve(error);
    expect(await ask({ of: "core", size: "1 GB" }, { layers })).toMatchObject({
      status: "error",
      actual: error.error,
    });
    const packages = () =>
      Promise.resolve([...PACKAGES, { name: "x", version: "1", owner: null, licenses: [] }]);
    expect(await ask({ of: "core", packages: 9 }, { packages })).toMatchObject({ status: "error" });
    expect(await ask({ packages: 9 }, { packages })).toMatchObject({ status: "pass" });
  });

  it("of an image in other layers is what was proven of the original; the bounds of the whole image are asked", async () => {
    const filesOf = "20261127t120000000z-0123456789abcdef";
    const layers = () => Promise.resolve({ error: "no" });
    expect(await ask({ of: "core", size: "1 B" }, { filesOf, layers })).toMatchObject({
      status: "pass",
      expected: `what was proven of core in ${filesOf}`,
    });
    expect(await ask({ packages: 2 }, { filesOf })).toMatchObject({ status: "fail" });
  });

  it("leaves the hash of older suites as it was, and asks nothing new for them", async () => {
    const form = checkOf({ id: "x", budget: { layers: 3 } }, NO_SCRIPTS.text);
    expect(form).toEqual({ kind: "budget", size_bytes: null, layers: 3 });
    expect(Object.keys(form ?? {})).toEqual(["kind", "size_bytes", "layers"]);
    expect(await ask({ layers: 3, size: "2 kB" }, NO_CONTENTS)).toMatchObject({ status: "pass" });
  });

  it("is refused where it bounds nothing, or allows two licences in one entry", () => {
    expect(KINDS.budget.problems?.({ of: "core" })).toMatchObject([{ field: "of", what: "bounds nothing" }]);
    expect(KINDS.budget.problems?.({ of: "core", packages: 0 })).toEqual([]);
    expect(KINDS.budget.problems?.({ licenses: ["MIT OR Zlib", "MIT"] })).toMatchObject([
      { field: "licenses" },
    ]);
  });
});

describe("whom a budget names", () => {
  const withBudget = (of: string, where: "core" | "manifest") => {
    const test = `  - {id: small, budget: {of: ${of}, size: 1 MB}}\n`;
    const path = where === "core" ? "fragments/core/0.1.1/fragment.yaml" : "manifests/demo.yaml";
    const text = SMALL[path] ?? "";
    const changed = text.includes("smoke:\n")
      ? text.replace("smoke:\n", `smoke:\n${test}`)
      : `${text}smoke:\n${test}`;
    return stitchOf({ [path]: changed });
  };
  const stitchOf = (changes: Record<string, string>) => () =>
    stitch(makeCatalog(changes), "demo").tests.find(({ id }) => id === "small")?.budget?.of;

  it("is the fragment itself by `self`, and else something in the image", () => {
    expect(withBudget("self", "core")()).toBe("core");
    for (const of of ["core", "base", "template"]) expect(withBudget(of, "manifest")()).toBe(of);
  });

  it("is refused where the image does not have it", () => {
    for (const [of, where] of [
      ["self", "manifest"],
      ["corr", "manifest"],
      ["light", "core"],
    ] as const)
      expect(errorFrom(withBudget(of, where))).toMatchObject({
        code: "TEST_INVALID",
        fix: expect.stringContaining("core") as string,
      });
  });
});

describe("the owners of an image's history", () => {
  const recipe = {
    dockerfile:
      "FROM debian AS base\n\nFROM base AS core\nRUN a\nENV X=1\nCOPY --from=built /x /x\n\nFROM core AS image\nWORKDIR /w\nLABEL a=b\n",
    fragments: [{ name: "core", version: "1.0.0" }],
  };
  const step = (created_by: string, empty = false) => ({ created_by, empty });

  it("are the base in front, and a fragment or the template by the steps", () => {
    const history = [
      step("# debian.sh"),
      step("CMD [bash]", true),
      step("RUN /bin/sh -c a # buildkit"),
      step("ENV X=1", true),
      step("COPY /x /x # buildkit"),
      step("WORKDIR /w"),
      step("LABEL a=b", true),
    ];
    expect(entryOwners(recipe, history)).toEqual([
      "base",
      "base",
      "core",
      "core",
      "core",
      "template",
      "template",
    ]);
  });

  it("are not known where a step with a layer is missing", () => {
    expect(entryOwners(recipe, [step("# debian.sh"), step("WORKDIR /w")])).toBeNull();
    expect(entryOwners(recipe, [])).toBeNull();
  });
});

type Tree = string | { op: "AND" | "OR"; left: Tree; right: Tree };

const IDS = [
  "MIT",
  "Zlib",
  "ISC",
  "GPL-2.0-only",
  "GPL-2.0-or-later",
  "GPL-2.0-only WITH Classpath-exception-2.0",
];
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...IDS),
    fc.record({ op: fc.constantFrom("AND" as const, "OR" as const), left: tie("tree"), right: tie("tree") }),
  ),
}));
const textOf = (one: Tree): string =>
  typeof one === "string" ? one : `(${textOf(one.left)} ${one.op} ${textOf(one.right)})`;
const holds = (one: Tree, allowed: ReadonlySet<string>): boolean => {
  if (typeof one === "string") return allowed.has(one);
  const sides = [holds(one.left, allowed), holds(one.right, allowed)];
  return one.op === "AND" ? sides.every(Boolean) : sides.some(Boolean);
};

describe("allowed licences", () => {
  it("decide expressions as logic does", () => {
    fc.assert(
      fc.property(tree, fc.subarray(IDS), (one, list) => {
        expect(allowedBy(list)([textOf(one)])).toBe(holds(one, new Set(list)));
      }),
    );
  });

  it("are never guessed: other versions, other cases and odd texts are other licences", () => {
    const allowed = allowedBy(["GPL-2.0-or-later", "The Expat licence"]);
    expect(allowed(["GPL-3.0-only"])).toBe(false);
    expect(allowed(["GPL-2.0-only"])).toBe(false);
    expect(allowed(["The Expat licence"])).toBe(true);
    expect(allowed(["the expat licence"])).toBe(false);
    expect(allowed(["GPL-2.0-or-later", "MIT"])).toBe(false);
    expect(allowed(["("])).toBe(false);
    expect(allowed(["(".repeat(100_000)])).toBe(false);
    expect(allowed([])).toBe(false);
  });

  it("of any text neither throw nor allow more with a shorter list", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string(), { maxLength: 3 }),
        fc.array(fc.string(), { maxLength: 4 }),
        (texts, list) => {
          if (allowedBy(list.slice(1))(texts)) expect(allowedBy(list)(texts)).toBe(true);
        },
      ),
    );
  });
});
