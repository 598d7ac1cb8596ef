import { describe, expect, it } from "vitest";
import { expand } from "../../src/plan/expand.ts";
import { lint } from "../../src/plan/lint.ts";
import { diagramOf } from "../../src/plan/formats/diagram-tree.ts";
import { type Files, factory, findingsFrom, makeCatalog, makeWorkspace } from "./workspace.ts";

const TODAY = { today: "2026-11-26" };

const plan = (lines: string): Files => ({
  "control_plane/plans/grid.yaml": `schema_version: 1\nplan_id: grid\nmanifest_id: demo\n${lines}`,
  "factory.yaml":
    "schema_version: 1\nrepository: registry.example/team\nbases: {old: debian:bullseye-slim}\n",
});

const expanded = (lines: string, more: Files = {}) =>
  expand(makeCatalog({ ...plan(lines), ...more }), { planId: "grid" }, TODAY);
const idsOf = (lines: string) => expanded(lines).cells.map(({ cell }) => cell.cell_id);
const findingsOf = (lines: string) => findingsFrom(() => expanded(lines));

const VARIANT = `zip:
  - name: variant
    values:
      slim: {base: {name: old}, args: {port: 81, core.python: python2}, core: 0.1.0}
      full: {args: {port: 82}}
`;
const AMD = "platforms: [linux/amd64]\n";

describe("a named axis", () => {
  it("sets bases, arguments and versions together, and is in the id in place of them", () => {
    const { cells } = expanded(VARIANT + AMD);
    expect(
      cells.map(({ cell }) => [
        cell.cell_id,
        cell.named,
        cell.base.ref,
        cell.fragments.core,
        cell.args.port,
        cell.args.python,
      ]),
    ).toEqual([
      ["demo.variant-slim.linux-amd64", { variant: "slim" }, "debian:bullseye-slim", "0.1.0", 81, "python2"],
      // What a value does not set is as the manifest has it.
      ["demo.variant-full.linux-amd64", { variant: "full" }, "debian:bookworm-slim", "0.1.1", 82, "python3"],
    ]);
  });

  it("stands beside other axes, and has its keys from what it sets alone", () => {
    const both = expanded(
      `axes: {core: [0.1.0, 0.2.0]}\n${AMD}zip: [{name: v, values: {a: {args: {port: 81}}}}]\n`,
    );
    expect(both.cells.map(({ cell }) => cell.cell_id)).toEqual([
      "demo.core-0.1.0.v-a.linux-amd64",
      "demo.core-0.2.0.v-a.linux-amd64",
    ]);
    const plain = expanded(`axes: {core: [0.1.0, 0.2.0], args: {port: [81]}}\n${AMD}`);
    expect(both.cells.map(({ cell }) => cell.verdict_key)).toEqual(
      plain.cells.map(({ cell }) => cell.verdict_key),
    );
  });

  it("may set the platform, and names of any harmless form", () => {
    const lines = `zip:
  - name: on
    values: {arm: {platform: linux/arm64}, alpine3.20: {platform: linux/amd64, args: {port: 9}}, to-string: {platform: linux/amd64}}
`;
    expect(idsOf(lines).sort()).toEqual([
      "demo.on-alpine3.20.linux-amd64",
      "demo.on-arm.linux-arm64",
      "demo.on-to-string.linux-amd64",
    ]);
  });

  it.each([
    ["exclude", "exclude: [{variant: slim}]\n", ["demo.variant-full.linux-amd64"]],
    ["a list", "exclude: [{variant: [slim, other]}]\n", ["demo.variant-full.linux-amd64"]],
    [
      "constraints",
      "constraints: [{when: {variant: slim}, then: {platform: linux/arm64}}, {when: {variant: full}, then: {platform: [linux/amd64]}}]\nplatforms: [linux/amd64, linux/arm64]\n",
      ["demo.variant-full.linux-amd64", "demo.variant-slim.linux-arm64"],
    ],
    [
      "include",
      "exclude: [{variant: slim}]\ninclude: [{variant: slim, platform: linux/arm/v7}]\n",
      ["demo.variant-full.linux-amd64", "demo.variant-slim.linux-arm-v7"],
    ],
    [
      "always",
      "strategy: {t: 1}\nalways: [{variant: slim}]\n",
      ["demo.variant-full.linux-amd64", "demo.variant-slim.linux-amd64"],
    ],
  ])("may be named in %s", (_, rule, ids) => {
    const lines = rule.includes("platforms:") ? VARIANT + rule : VARIANT + AMD + rule;
    expect(idsOf(lines).sort()).toEqual(ids);
  });

  it("may be named in expect", () => {
    const rule = "expect: [{when: {variant: [slim]}, result: fail, owner: me, reason: slow, until: never}]\n";
    const { cells } = expanded(VARIANT + AMD + rule);
    expect(cells.map(({ cell }) => [cell.named?.variant, cell.expect?.reason])).toEqual([
      ["slim", "slow"],
      ["full", undefined],
    ]);
  });

  it.each([
    [
      "an axis of the plan",
      "axes: {core: [0.1.0]}\n",
      "{a: {core: 0.1.1}}",
      "which is an axis of the plan as well",
      6,
    ],
    ["what is fixed", "fixed: {core: 0.1.0}\n", "{a: {core: 0.1.1}}", "which is fixed as well", 6],
    ["the platforms", AMD, "{a: {platform: linux/amd64}}", "which `platforms` gives as well", 6],
    ["an unknown base", "", "{a: {base: {name: odl}}}", "`bases` of factory.yaml has no `odl`", 5],
    ["an unknown fragment", "", "{a: {cor: 0.1.1}}", "`cor` is not a fragment of the manifest demo", 5],
    ["an unknown version", "", "{a: {core: 9.9.9}}", "there is no version 9.9.9 of the fragment core", 5],
    [
      "an unknown argument",
      "",
      "{a: {args: {prt: 1}}}",
      "no fragment of demo declares the argument `prt`",
      5,
    ],
    [
      "a wrong value",
      "",
      "{a: {args: {port: x}}}",
      "the argument `port`: the text `x` is not a whole number",
      5,
    ],
    [
      "the same twice",
      "",
      "{a: {args: {port: 1}}, b: {args: {port: 1}}}",
      "`a` and `b` of `v` set the same",
      5,
    ],
    [
      "some platforms",
      "",
      "{a: {args: {port: 1}}, b: {platform: linux/amd64}}",
      "`a` of `v` sets no platform",
      5,
    ],
  ])("is a finding if it sets %s", (_, before, values, what, line) => {
    const [finding, ...more] = findingsOf(`${before}zip: [{name: v, values: ${values}}]\n`);
    expect(finding?.what).toContain(what);
    expect(finding?.where).toMatchObject({ file: "control_plane/plans/grid.yaml" });
    if (line === 5) expect(finding?.where?.line).toBe(4);
    expect(more).toEqual([]);
  });

  it.each(["core", "base", "platform", "args"])("may not be named %s", (name) => {
    const [finding] = findingsOf(`zip: [{name: ${name}, values: {a: {args: {port: 1}}}}]\n`);
    expect(finding).toMatchObject({ code: "SCHEMA", fix: "give it another name, such as `variant`" });
  });

  it("is a finding if two of them set the same thing, or have one name", () => {
    const two = (name: string) =>
      findingsOf(
        `zip: [{name: a, values: {x: {core: 0.1.0}}}, {name: ${name}, values: {y: {core: 0.1.1}}}]\n`,
      ).map(({ what }) => what);
    expect(two("b")).toEqual(["`y` of `b` sets `core`, which `a` sets as well"]);
    expect(two("a")).toEqual([
      "an axis of `zip` is named `a`, which another axis of `zip` is named",
      "`y` of `a` sets `core`, which `a` sets as well",
    ]);
  });

  it("is a finding if a rule names an argument that some value leaves open", () => {
    const values = "{a: {args: {name: x}}, b: {args: {port: 1}}}";
    const [finding] = findingsOf(`zip: [{name: v, values: ${values}}]\nexclude: [{args: {name: x}}]\n`);
    expect(finding?.what).toBe("a rule asks for `args.name`, which `b` of `v` does not set");
    // The manifest says the port, so that a rule may ask for it.
    expect(idsOf(`zip: [{name: v, values: ${values}}]\n${AMD}exclude: [{args: {port: 8080}}]\n`)).toEqual([
      "demo.v-b.linux-amd64",
    ]);
  });

  it("is refused in a row of include that sets the same, or a value that is none", () => {
    expect(findingsOf(`${VARIANT}include: [{variant: slim, core: 0.2.0}]\n`)[0]?.what).toContain(
      "sets `core` twice",
    );
    expect(findingsOf(`${VARIANT}include: [{variant: slm}]\n`)[0]).toMatchObject({
      what: "`variant` has no value `slm`",
      fix: "it has: `full`, `slim`",
    });
  });

  it("is said alike by validate, plan, and each format", () => {
    const root = makeWorkspace(plan(VARIANT));
    expect(factory(root, ["validate"])).toMatchObject({ status: 0 });
    for (const format of ["table", "github", "bake", "json", "dot", "mermaid"])
      expect(factory(root, ["plan", "grid", "--format", format]).stdout, format).toMatch(/variant[-_]slim/);
    const wrong = makeWorkspace(plan("zip: [{name: v, values: {a: {cor: 0.1.0}}}]\n"));
    for (const verb of [["validate"], ["plan", "grid"]])
      expect(factory(wrong, verb), verb.join(" ")).toMatchObject({ status: 2 });
    const { cells } = expanded(VARIANT);
    expect(lint(cells)).toEqual([]);
    expect(JSON.stringify(diagramOf(cells))).toContain("variant-slim");
  });
});

describe("selectors of bases and arguments", () => {
  const AXES =
    "axes: {base: [debian:11, debian:12, alpine:3], args: {port: [80, 8080, 9090]}, platform: [linux/amd64]}\n";
  const left = (rule: string) =>
    expanded(AXES + rule).cells.map(({ cell }) => `${cell.base.ref} ${JSON.stringify(cell.args.port)}`);

  it.each([
    ["a list of bases", "exclude: [{base: [debian:11, alpine:3]}]\n", /^debian:12 /, 3],
    ["all tags of a base", 'exclude: [{base: "debian:*"}]\n', /^alpine:3 /, 3],
    ["a list of values", "exclude: [{args: {port: [80, 8080]}}]\n", / 9090$/, 3],
    ["a range of numbers", 'exclude: [{args: {port: ">=8000 <9000"}}]\n', / (80|9090)$/, 6],
    ["ranges in a list", 'exclude: [{args: {port: ["<100", ">9000"]}}]\n', / 8080$/, 3],
    [
      "both sides of a constraint",
      'constraints: [{when: {base: "debian:*"}, then: {args: {port: [80]}}}]\n',
      /^(debian:1\d 80|alpine:3 \d+)$/,
      5,
    ],
  ])("take %s", (_, rule, fits, count) => {
    const cells = left(rule);
    expect(cells).toHaveLength(count);
    for (const cell of cells) expect(cell).toMatch(fits);
  });

  it("take lists of versions and platforms", () => {
    const lines =
      'axes: {core: [0.1.0, 0.1.1, 0.2.0]}\nexclude: [{core: [0.1.0, ">=0.2"], platform: [linux/amd64]}]\n';
    expect(idsOf(lines).sort()).toEqual([
      "demo.core-0.1.0.linux-arm64",
      "demo.core-0.1.1.linux-amd64",
      "demo.core-0.1.1.linux-arm64",
      "demo.core-0.2.0.linux-arm64",
    ]);
  });

  it.each([
    ["a value that no argument allows", "exclude: [{args: {port: [80, none]}}]\n", "ARG_TYPE"],
    ["a list that matches nothing", "exclude: [{base: [debian:13, debian:14]}]\n", "RULE_UNUSED"],
    ["an invalid range in a list", "exclude: [{core: [0.1.0, '>=']}]\n", "RANGE_INVALID"],
  ])("refuse %s", (_, rule, code) => {
    expect(findingsOf(AXES + rule).map((one) => one.code)).toEqual([code]);
  });

  it("mean the whole value of a list argument, and any of several lists", () => {
    const files = {
      "fragments/app/0.1.0/fragment.yaml":
        "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs: {l: {type: list, default: []}, port: {type: integer, default: 1}}\n",
      "fragments/app/0.1.0/Dockerfile.hbs": "RUN echo {{words args.l}}\n",
    };
    const listsLeft = (rule: string) =>
      expanded(`axes: {args: {l: [[a], [a, b], [c]]}, platform: [linux/amd64]}\n${rule}`, files).cells.map(
        ({ cell }) => (cell.args.l as string[]).join(""),
      );
    expect(listsLeft("exclude: [{args: {l: [a, b]}}]\n").sort()).toEqual(["a", "c"]);
    expect(listsLeft("exclude: [{args: {l: [[a, b], [c]]}}]\n")).toEqual(["a"]);
  });
});

describe("what is fixed", () => {
  it("does not lengthen ids, unless there is nothing else to say", () => {
    expect(idsOf(`axes: {args: {port: [80]}}\nfixed: {core: 0.1.0}\n${AMD}`)).toEqual([
      "demo.args.port-80.linux-amd64",
    ]);
    expect(idsOf(`fixed: {core: 0.1.0}\n${AMD}`)).toEqual(["demo.core-0.1.0.linux-amd64"]);
  });

  it("is in the keys all the same", () => {
    const keyOf = (core: string) =>
      expanded(`axes: {args: {port: [80]}}\nfixed: {core: ${core}}\n${AMD}`).cells[0]?.cell.verdict_key;
    expect(keyOf("0.1.0")).not.toBe(keyOf("0.1.1"));
  });
});

describe("a value that is in no cell", () => {
  it("is named with the rules that exclude it", () => {
    const { left_out } = expanded(
      `axes: {core: [0.1.0, 0.2.0], args: {port: [80, 81]}}\n${AMD}exclude: [{args: {port: 81}, core: 0.1.0}, {args: {port: 81}, core: 0.2.0}, {args: {port: 80}, core: 0.1.0}]\n`,
    );
    expect(left_out).toEqual([
      {
        values: { "args.port": "81" },
        what: "is in no cell, since rule 1 of `exclude` removes core 0.1.0, args.port 81, and rule 2 of `exclude` removes core 0.2.0, args.port 81",
      },
      {
        values: { core: "0.1.0" },
        what: "is in no cell, since rule 1 of `exclude` removes core 0.1.0, args.port 81, and rule 3 of `exclude` removes core 0.1.0, args.port 80",
      },
    ]);
  });

  it("is not named if include has it", () => {
    const lines = `axes: {core: [0.1.0, 0.2.0]}\n${AMD}exclude: [{core: 0.1.0}]\n`;
    expect(expanded(lines).left_out).toHaveLength(1);
    expect(expanded(`${lines}include: [{core: 0.1.0}]\n`).left_out).toEqual([]);
  });
});
