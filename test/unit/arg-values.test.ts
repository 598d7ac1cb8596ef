import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkWorkspace } from "../../src/catalog/check.ts";
import { canonicalJson } from "../../src/model/digest.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { entriesOf, valueText } from "../../src/model/value.ts";
import { cellId } from "../../src/plan/cell-names.ts";
import { decide } from "../../src/plan/decide/decide.ts";
import { expand } from "../../src/plan/expand.ts";
import type { Value } from "../../src/schemas/types.ts";
import { cellInputs, stitch } from "../../src/stitch/stitch.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { attemptAt, NOW, recordsOf } from "./plan-reason-cells.ts";
import { scriptedPlaces } from "./scripted-places.ts";
import { factory, type Files, findingsFrom, makeCatalog, makeWorkspace } from "./workspace.ts";

const TODAY = { today: "2026-01-01" };

/** The small workspace with an application that has a list, a map and scalars. */
const FILES: Files = {
  "fragments/app/0.1.0/fragment.yaml": `schema_version: 1
name: app
version: 0.1.0
order: 30
args:
  packages: {type: list, default: [curl], items: {type: string, pattern: "[a-z0-9+ -]+"}, max_items: 4, unique: true}
  ports: {type: list, default: [80], items: {type: integer, minimum: 1}}
  env: {type: map, default: {}, values: {type: string}}
  port: {type: integer, default: 80}
  debug: {type: boolean, default: false}
`,
  "fragments/app/0.1.0/Dockerfile.hbs": `RUN apt-get install {{words args.packages}}
{{#each args.env}}
ENV {{@key}}={{quote this}}
{{/each}}
EXPOSE {{args.port}} {{words args.ports}}
`,
  "manifests/demo.yaml": null,
  "control_plane/plans/grid.yaml": null,
};

const manifest = (args: string): Files => ({
  ...FILES,
  "manifests/demo.yaml": `schema_version: 1
manifest_id: demo
template: plain@0.1.0
base: scratch
fragments: {core: 0.1.0, app: 0.1.0}
${args}`,
});
const plan = (lines: string): Files => ({
  ...manifest(""),
  "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}\n`,
});

describe("a value of the wrong type", () => {
  it.each([
    ["packages: curl", 7, "the text `curl` is not a list"],
    ["packages: [curl, 1]", 7, "its item 2: 1 is not text"],
    ["packages: [curl, curl]", 7, "it has `curl` twice"],
    ["packages: [a, b, c, d, e]", 7, "it has 5 entries, and may have at most 4"],
    ["packages: [a;b]", 7, "its item 1: `a;b` does not match"],
    ["packages: {a: b}", 7, 'the map `{"a":"b"}` is not a list'],
    ["ports: [0]", 7, "its item 1: 0 is less than 1"],
    ["env: [a]", 7, 'the list `["a"]` is not a map'],
    ["env: {A: 1}", 7, "its entry `A`: 1 is not text"],
    ["env: {A: [b]}", 7, 'the list `["b"]` is not text'],
    ["port: [80]", 7, "the list `[80]` is not a whole number"],
    ["app: {port: x}", 7, "the text `x` is not a whole number"],
    ["app: {packages: x}", 7, "the text `x` is not a list"],
    ["debug: 1", 7, "1 is not true or false"],
  ])("in a manifest is a finding with its place: %s", (args, line, what) => {
    const catalog = makeCatalog(manifest(`args: {${args}}\n`));
    const findings = findingsFrom(() => stitch(catalog, "demo"));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      code: "ARG_TYPE",
      where: { file: "manifests/demo.yaml", line: line - 1 },
    });
    expect(findings[0]?.what).toContain(what);
    expect(findings[0]?.fix).toContain("fragments/app/0.1.0/fragment.yaml");
  });

  it.each([
    ["packages: [null]", "`args.packages[0]` is empty"],
    ["packages: [[a]]", "`args.packages[0]` is a list"],
    ["env: {A: null}", "`args.env.A` is empty"],
    ["env: {'a b': c}", "`a b` cannot be a name in `args.env`"],
    ["env: {__proto__: c}", "the key `__proto__` is not allowed"],
  ])("in a manifest, of a form that no argument has: %s", (args, what) => {
    const findings = findingsFrom(() => makeCatalog(manifest(`args: {${args}}\n`)).manifest("demo"));
    expect(findings.map((one) => one.what).join("\n")).toContain(what);
    expect(findings, JSON.stringify(findings)).toHaveLength(1);
  });

  it.each([
    ["{type: list, default: x}", "its default: the text `x` is not a list"],
    ["{type: list, default: [1]}", "its default: its item 1: 1 is not text"],
    [
      "{type: list, items: {type: integer}, default: [a]}",
      "its default: its item 1: the text `a` is not a whole number",
    ],
    ["{type: map, default: [a]}", 'its default: the list `["a"]` is not a map'],
    [
      "{type: map, values: {type: boolean}, default: {a: 1}}",
      "its default: its entry `a`: 1 is not true or false",
    ],
    ["{type: string, default: [a]}", 'its default: the list `["a"]` is not text'],
    ["{type: list, enum: [[a], b]}", "its enum: the text `b` is not a list"],
    ["{type: list, enum: [[a]], default: [b]}", 'its default: the list `["b"]` is not one of `["a"]`'],
    ["{type: list, pattern: a}", "only text can have a pattern"],
    ["{type: map, minimum: 1}", "only whole numbers can have a minimum"],
    ["{type: string, items: {type: string}}", "only a list can have `items`"],
    ["{type: list, values: {type: string}}", "only a map can have `values`"],
    ["{type: string, min_items: 1}", "only a list or a map can have `min_items`"],
    ["{type: map, unique: true}", "only a list can have `unique`"],
    ["{type: list, min_items: 3, max_items: 2}", "its min_items 3 is more than its max_items 2"],
    ["{type: list, items: {type: string, pattern: '('}}", "items: its pattern is not a regular expression"],
    [
      "{type: list, items: {type: integer, enum: [a]}}",
      "items: its enum: the text `a` is not a whole number",
    ],
    ["{type: list, items: {type: integer, minimum: 3, maximum: 2}}", "items: its minimum 3 is more than"],
  ])("in a contract is a finding: %s", (declaration, what) => {
    const catalog = makeCatalog({
      ...FILES,
      "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs:\n  x: ${declaration}\n`,
    });
    const findings = findingsFrom(() => catalog.fragment("app", "0.1.0"));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      code: "ARG_TYPE",
      where: { file: "fragments/app/0.1.0/fragment.yaml", line: 6 },
    });
    expect(findings[0]?.what).toContain(what);
  });

  const WRONG = "the argument `port`: the text `x` is not a whole number";
  it.each([
    ["axes.args", "axes: {args: {port: [80, x]}}"],
    ["include", "axes: {core: [0.1.0]}\ninclude:\n- {core: 0.1.1, args: {port: x}}"],
    [
      "always",
      "axes: {args: {port: [80, 81]}, core: [0.1.0, 0.1.1]}\nstrategy: {t: 1}\nalways:\n- args: {port: x}",
    ],
    ["exclude", "axes: {args: {port: [80, 81]}}\nexclude:\n- args: {port: x}"],
    [
      "constraints, when",
      "axes: {args: {port: [80, 81]}, core: [0.1.0, 0.1.1]}\nconstraints:\n- {when: {args: {port: x}}, then: {core: 0.1.0}}",
    ],
    [
      "constraints, then",
      "axes: {args: {port: [80, 81]}, core: [0.1.0, 0.1.1]}\nconstraints:\n- {when: {core: 0.1.0}, then: {args: {port: x}}}",
    ],
    [
      "expect",
      "axes: {args: {port: [80, 81]}}\nexpect:\n- {when: {args: {port: x}}, result: fail, owner: us, reason: none, until: never}",
    ],
  ])("in a plan's %s is a finding with its place", (_, lines) => {
    const catalog = makeCatalog(plan(lines));
    const findings = findingsFrom(() => expand(catalog, { planId: "grid" }, TODAY));
    const found = findings.filter(({ code }) => code === "ARG_TYPE");
    expect(found).toHaveLength(1);
    const line = lines.split("\n").findIndex((text) => /port: (x|\[80, x\])/.test(text)) + 4;
    expect(found[0]).toMatchObject({
      what: WRONG,
      where: { file: "control_plane/plans/grid.yaml", line },
    });
    expect(found[0]?.fix).toContain("fragments/app/0.1.0/fragment.yaml");
  });

  it.each([
    ["packages=curl", "the text `curl` is not a list", `--arg packages='["a", "b"]'`],
    ['packages=["a", null]', "is not a list", "as JSON"],
    ['packages=[["a"]]', "is not a list", "as JSON"],
    ["packages=[1]", "its item 1: 1 is not text", "fragment.yaml"],
    ['packages=["a"', "is not a list", "as JSON"],
    ['app.packages=["a","a"]', "it has `a` twice", "fragment.yaml"],
    ['packages=["\\ud800"]', "half of a surrogate pair", "fragment.yaml"],
    ["env=A=1", "the text `A=1` is not a map", `--arg env='{"a": "b"}'`],
    ['env={"__proto__": "x"}', "its key `__proto__`", "fragment.yaml"],
    ['env={"a b": "x"}', "its key `a b`", "fragment.yaml"],
    ["port=x", "the text `x` is not a whole number", "fragment.yaml"],
    ["debug=yes", "the text `yes` is not true or false", "fragment.yaml"],
  ])("of --arg %s is a finding", (arg, what, fix) => {
    const root = makeWorkspace(manifest(""));
    const { status, stderr, stdout } = factory(root, [
      "stitch",
      "--manifest-id",
      "demo",
      "-o",
      "-",
      "--arg",
      arg,
    ]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("ARG_TYPE");
    expect(stderr).toContain(what);
    expect(stderr).toContain(fix);
  });

  it("is one for validate, too", () => {
    const { findings } = checkWorkspace(makeCatalog(manifest("args: {packages: x}\n")), {
      manifest: (id) => findingsFrom(() => stitch(makeCatalog(manifest("args: {packages: x}\n")), id)),
      fragment: () => [],
      template: () => [],
    });
    expect(findings.map(({ code }) => code)).toEqual(["ARG_TYPE"]);
  });
});

describe("names of arguments", () => {
  it("with more dots than one are nobody's", () => {
    const catalog = makeCatalog(manifest(""));
    for (const name of ["app.port.x", "app..port", ".port", "port."]) {
      const findings = findingsFrom(() => stitch(catalog, "demo", { args: { [name]: "1" } }));
      expect(findings.map(({ code }) => code)).toEqual(["ARG_UNDECLARED"]);
    }
  });

  it("of a map are told from those of a fragment", () => {
    const of = (args: string) => stitch(makeCatalog(manifest(`args: ${args}\n`)), "demo").args;
    expect(of("{env: {A: b, port: c}}").env).toEqual({ A: "b", port: "c" });
    expect(of("{app: {env: {A: b}, port: 81}}")).toMatchObject({ env: { A: "b" }, port: 81 });
    for (const args of ["{app: {}}", "{ap: {port: 1}}", "{app: {A: b}}", "{nobody: {}}"])
      expect(findingsFrom(() => of(args)).map(({ code }) => code)).toEqual(["ARG_UNDECLARED"]);
  });
});

describe("lists and maps", () => {
  const choice = { packages: ["git", "a b"], env: { B: "2", A: "1" } };

  it("are in the record's inputs as JSON, in the key's order, and in no key of who does not use them", () => {
    const catalog = makeCatalog(manifest(""));
    const resolved = resolve(catalog, "demo", { args: choice });
    const inputs = cellInputs(catalog, resolved, { platform: "linux/amd64", cell_id: "demo.linux-amd64" });
    expect(inputs.args).toMatchObject({
      debug: false,
      env: { A: "1", B: "2" },
      packages: ["git", "a b"],
      port: 80,
      ports: [80],
    });
    const stitched = stitch(catalog, "demo", { args: choice }, { platform: "linux/amd64" });
    expect(keysOf(JSON.parse(JSON.stringify(inputs)) as typeof inputs).build_key).toBe(stitched.build_key);
    expect(stitched.dockerfile).toContain(
      "RUN apt-get install 'git' 'a b'\nENV A=\"1\"\nENV B=\"2\"\nEXPOSE 80 80\n",
    );
    // The order of a map's entries is no difference, that of a list's items is.
    const keyWith = (args: Record<string, Value>) => stitch(catalog, "demo", { args }).recipe_key;
    expect(keyWith({ ...choice, env: { A: "1", B: "2" } })).toBe(stitched.recipe_key);
    expect(keyWith({ ...choice, packages: ["a b", "git"] })).not.toBe(stitched.recipe_key);
  });

  it("are given on the command line as JSON", () => {
    const root = makeWorkspace(manifest(""));
    const { status, stdout } = factory(root, [
      ...["stitch", "--manifest-id", "demo", "--json"],
      ...["--arg", 'packages=["git", "a b"]', "--arg", 'app.env={"A": "1"}', "--arg", "ports=[]"],
    ]);
    expect(status).toBe(0);
    const { args } = JSON.parse(stdout) as { args: unknown };
    expect(args).toMatchObject({
      debug: false,
      env: { A: "1" },
      packages: ["git", "a b"],
      port: 80,
      ports: [],
    });
  });

  it("are axes: with ids that can be read, rules that match them, and a table that shows them", () => {
    const root = makeWorkspace(
      plan(`axes: {args: {packages: [[git], [git, curl], []], env: [{A: x}, {}]}}
exclude: [{args: {packages: [], env: {A: x}}}]
expect: [{when: {args: {packages: [git]}}, result: fail, owner: us, reason: none, until: never}]`),
    );
    const { stdout, stderr, status } = factory(root, ["plan", "grid", "--json"]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const { cells } = JSON.parse(stdout) as {
      cells: { cell_id: string; args: Record<string, Value>; expect: unknown }[];
    };
    expect(cells).toHaveLength(5);
    const ids = cells.map(({ cell_id }) => cell_id);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids)
      expect(id).toMatch(
        /^demo\.args\.env-(a-x|none)\.args\.packages-(git|git-curl|none)\.linux-amd64_h[0-9a-f]{8}$/,
      );
    expect(cells.filter((cell) => cell.expect !== null).map(({ args }) => args.packages)).toEqual([
      ["git"],
      ["git"],
    ]);
    const table = factory(root, ["plan", "grid"]).stdout;
    expect(table).toContain('packages ["git","curl"]');
    expect(factory(root, ["validate"]).status).toBe(0);
  });

  it("twice in an axis are one value too many", () => {
    const catalog = makeCatalog(plan("axes: {args: {env: [{A: x, B: y}, {B: y, A: x}]}}"));
    expect(findingsFrom(() => expand(catalog, { planId: "grid" }, TODAY)).map(({ code }) => code)).toEqual([
      "SCHEMA",
    ]);
  });

  it("have ids that differ where they do", () => {
    const scalar = fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean());
    const value = fc.oneof(
      scalar,
      fc.array(scalar, { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,2}$/), scalar, { maxKeys: 3 }),
    );
    fc.assert(
      fc.property(value, value, (a, b) => {
        const id = (one: Value) => cellId("demo", [["args.x", one]], "linux/amd64");
        if (valueText(a) === valueText(b)) expect(id(a)).toBe(id(b));
        else if (typeof a === "object" || typeof b === "object") expect(id(a)).not.toBe(id(b));
        expect(id(a)).toMatch(/^[a-z0-9][a-z0-9._-]{0,99}$/);
        if (typeof a === "object") expect(valueText(a)).toBe(canonicalJson(a));
      }),
    );
    expect(entriesOf({ b: 1, a: 2 })).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });
});

describe("what a plan says of a changed list", () => {
  it("is its values before and after, by name; another order of a map is no change", async () => {
    const cellWith = (args: Record<string, Value>) => {
      const [cell] = expand(makeCatalog(manifest("")), { manifestId: "demo", args }, TODAY).cells;
      if (!cell) throw new Error("there is no cell");
      return cell;
    };
    const before = cellWith({ packages: ["git"], env: { A: "1", B: "2" } });
    const options = {
      attempts: recordsOf([attemptAt(before, 0)]),
      now: NOW,
      maxAge: () => null,
      needPushed: false,
      places: scriptedPlaces(),
    };
    const [same] = await decide([cellWith({ packages: ["git"], env: { B: "2", A: "1" } })], options);
    expect(same?.cell.action).toBe("reuse");
    const [after] = await decide([cellWith({ packages: ["git", "curl"], env: { A: "1", B: "2" } })], options);
    expect(after?.cell).toMatchObject({ action: "build", reason: "ARGS" });
    expect(after?.cell.changes).toContainEqual({
      input: "args.packages",
      before: '["git"]',
      after: '["git","curl"]',
    });
    expect(after?.cell.changes.map(({ input }) => input)).not.toContain("args.env");
  });
});

describe("a name of a plan that means two arguments", () => {
  it.each([
    ["axes: {args: {port: [80]}}", 4],
    ["axes: {core: [0.1.0]}\ninclude: [{core: 0.1.0, args: {port: 80}}]", 5],
  ])("is a finding with its place: %s", (lines, line) => {
    const files = {
      ...plan(lines),
      "fragments/core/0.1.0/fragment.yaml":
        "schema_version: 1\nname: core\nversion: 0.1.0\norder: 10\nargs: {port: {type: integer, default: 1}}\n",
      "fragments/core/0.1.0/Dockerfile.hbs": "RUN x\n",
    };
    const findings = findingsFrom(() => expand(makeCatalog(files), { planId: "grid" }, TODAY));
    expect(findings).toMatchObject([
      { code: "ARG_AMBIGUOUS", where: { file: "control_plane/plans/grid.yaml", line } },
    ]);
  });
});
