import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { selectorOf, suggestedRules, withExclusion } from "../../src/causes/rules.ts";
import type { CellSelector } from "../../src/schemas/types.ts";

const HEAD = "schema_version: 1\nplan_id: grid\nmanifest_id: demo\naxes: {core: [0.1.0, 0.2.0]} # both\n";
const RULE: CellSelector = { core: "0.2.0", app: ["0.1.0", "0.2.0"] };
const LINE = "{ core: 0.2.0, app: [0.1.0, 0.2.0] }";

describe("a rule in a plan", () => {
  it.each([
    ["none yet", HEAD, `${HEAD}exclude:\n  - ${LINE}\n`],
    ["no line break at the end", HEAD.trimEnd(), `${HEAD}exclude:\n  - ${LINE}\n`],
    [
      "some already",
      `${HEAD}exclude:\n  - {core: 0.1.0} # why\n  # last\nmax_age: 30d\n`,
      `${HEAD}exclude:\n  - {core: 0.1.0} # why\n  - ${LINE}\n  # last\nmax_age: 30d\n`,
    ],
    [
      "rules over several lines, at the margin",
      `exclude:\n- core: 0.1.0\n  app: 0.1.0\n${HEAD}`,
      `exclude:\n- core: 0.1.0\n  app: 0.1.0\n- ${LINE}\n${HEAD}`,
    ],
    [
      "line breaks of Windows",
      `${HEAD}exclude:\n  - {core: 0.1.0}\n`.replaceAll("\n", "\r\n"),
      `${HEAD}exclude:\n  - {core: 0.1.0}\n  - ${LINE}\n`.replaceAll("\n", "\r\n"),
    ],
  ])("stands behind what is there: %s", (_, text, wanted) => {
    expect(withExclusion(text, RULE)).toBe(wanted);
  });

  it.each([
    ["in one line", `${HEAD}exclude: [{core: 0.1.0}] # why\n`],
    ["empty", `# top\n${HEAD}exclude: []\n`],
    ["all in one line", `{schema_version: 1, plan_id: grid, manifest_id: demo} # why\n`],
    ["with an end mark", `---\n${HEAD}...\n`],
  ])("keeps comments where it is written otherwise: %s", (_, text) => {
    const made = withExclusion(text, RULE) ?? "";
    expect(parseDocument(made).toJS()).toEqual({
      ...(parseDocument(text).toJS() as object),
      exclude: [...((parseDocument(text).toJS() as { exclude?: [] }).exclude ?? []), RULE],
    });
    for (const comment of text.match(/#.*/g) ?? []) expect(made).toContain(comment);
  });

  it("says just what it is to say, of any names and values, or is not written", () => {
    const name = fc.oneof(fc.constantFrom("core", "base", "a-b", "lib.core"), fc.string({ maxLength: 8 }));
    const value = fc.oneof(
      fc.constantFrom("0.1.0", ">=0.1 <2", "true", "1", "0x1", "~", "debian:*"),
      fc.string({ unit: "binary", maxLength: 8 }),
    );
    const rules = fc.array(
      fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })), {
        minKeys: 1,
        maxKeys: 3,
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(rules, (all) => {
        let text = HEAD;
        const written: unknown[] = [];
        for (const rule of all) {
          const next = withExclusion(text, rule);
          if (next === null) continue;
          text = next;
          written.push(rule);
        }
        const said = parseDocument(text);
        expect(said.errors).toEqual([]);
        expect((said.toJS() as { exclude?: unknown[] }).exclude ?? []).toEqual(written);
        expect(text).toContain("# both");
      }),
    );
  });

  it("is not written into what is no YAML", () => {
    expect(withExclusion("a: [", RULE)).toBeNull();
  });
});

describe("the rules of a cause", () => {
  it("are all that can say it", () => {
    const passing = [
      { core: "2", light: "2" },
      { core: "2", light: "3" },
      { core: "1", light: "1" },
    ];
    expect(suggestedRules({ core: ["2"], light: ["1"] }, passing)).toEqual({
      exclude: { core: "2", light: "1" },
      constraint: { when: { core: "2" }, then: { light: ["2", "3"] } },
      conflicts: [{ fragment: "core", version: "2", conflicts: { light: "1" } }],
    });
    expect(suggestedRules({ core: ["2"], platform: ["linux/arm64"] }, [])).toEqual({
      exclude: { core: "2", platform: "linux/arm64" },
      constraint: null,
      conflicts: [],
    });
    expect(selectorOf({ "args.port": ["80", "8080"], "args.debug": ["true"] })).toEqual({
      args: { port: [80, 8080], debug: true },
    });
  });

  it.each([
    ["everything", {}],
    ["something that is missing", { light: [null] }],
    ["the template", { template: ["plain@0.1.0"] }],
  ])("are none for %s", (_, values) => {
    expect(suggestedRules(values, [])).toBeNull();
  });
});
