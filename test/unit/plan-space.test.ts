import { semver } from "../../src/catalog/schemes/semver.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { axisText, versionsOfAxis } from "../../src/plan/version-axis.ts";
import { expand } from "../../src/plan/expand.ts";
import { mergePlans } from "../../src/plan/graph.ts";
import type { VersionAxis } from "../../src/schemas/types.ts";
import { errorFrom, type Files, findingsFrom, makeCatalog } from "./workspace.ts";

const TODAY = { today: "2026-11-21" };

const fragment = (name: string, version: string, order: number, more = ""): Files => ({
  [`fragments/${name}/${version}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${order}\n${more}`,
  [`fragments/${name}/${version}/Dockerfile.hbs`]: `RUN ${name} ${version}\n`,
});

const all = (files: readonly Files[]): Files => files.reduce((one, other) => ({ ...one, ...other }), {});

/** A workspace in which core has six versions, extra three and app two; app 0.2 does not go with core 0.1. */
const WIDE: Files = {
  ...all(["0.2.1", "0.3.0", "0.3.1-rc.1"].map((version) => fragment("core", version, 10))),
  ...all(["0.2.0", "0.3.0"].map((version) => fragment("extra", version, 20))),
  ...fragment("app", "0.2.0", 30, 'requires: {core: ">=0.2"}\nargs: {port: {type: integer, default: 80}}\n'),
  "manifests/demo.yaml": `schema_version: 1
manifest_id: demo
template: plain@~0.1
base: debian:bookworm-slim
platforms: [linux/amd64, linux/arm64]
fragments: {core: "*", extra: "*", app: 0.1.0}
`,
};

const plan = (lines: string, id = "grid"): Files => ({
  [`control_plane/plans/${id}.yaml`]: `schema_version: 1\nplan_id: ${id}\nmanifest_id: demo\n${lines}`,
});

const expanded = (lines: string, more: Files = {}) =>
  expand(makeCatalog({ ...WIDE, ...plan(lines), ...more }), { planId: "grid" }, TODAY);
const idsOf = (lines: string) => expanded(lines).cells.map(({ cell }) => cell.cell_id);
const versionsOf = (lines: string, name: string) => [
  ...new Set(expanded(lines).cells.map(({ cell }) => cell.fragments[name])),
];
const codesOf = (lines: string) => findingsFrom(() => expanded(lines)).map(({ code }) => code);
const AMD = "platforms: [linux/amd64]\n";

describe("version axes", () => {
  it.each([
    ["a range", '{core: ">=0.2 <0.3"}', ["0.2.0", "0.2.1"]],
    ["the latest, without pre-releases", "{core: {latest: 2}}", ["0.2.1", "0.3.0"]],
    ["the latest of each minor", "{core: {latest-minor: 2}}", ["0.2.1", "0.3.0"]],
    ["the latest of a range", '{core: {latest: 1, range: "<0.2"}}', ["0.1.1"]],
    ["more than there are", "{core: {latest: 50}}", ["0.1.0", "0.1.1", "0.2.0", "0.2.1", "0.3.0"]],
  ])("mean %s", (_, axes, versions) => {
    expect(versionsOf(`axes: ${axes}\n${AMD}`, "core")).toEqual(versions);
  });

  it("take pre-releases where the range names them", () => {
    const axis = { latest: 2, range: ">=0.3.1-rc.0 || 0.3.0" };
    expect(versionsOfAxis(axis, ["0.2.0", "0.3.0", "0.3.1-rc.1"], semver)).toEqual(["0.3.0", "0.3.1-rc.1"]);
  });

  it("have a text of their own each", () => {
    const axis = fc.oneof(
      fc.constantFrom(">=0.1", "~0.2", "0.1.x"),
      fc.record(
        { latest: fc.nat(5), "latest-minor": fc.nat(5), range: fc.constantFrom(">=0.1", "~0.2") },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(axis, axis, (a, b) => {
        const empty = (one: unknown) => typeof one === "object" && Object.keys(one as object).length === 0;
        fc.pre(!empty(a) && !empty(b));
        const onlyRange = (one: typeof a) =>
          typeof one === "object" && Object.keys(one).length === 1 ? (one.range ?? one) : one;
        const same = JSON.stringify(onlyRange(a)) === JSON.stringify(onlyRange(b));
        expect(
          axisText(a as Exclude<VersionAxis, string[]>) === axisText(b as Exclude<VersionAxis, string[]>),
        ).toBe(same);
      }),
    );
  });

  it("never give a version that is not there, and keep their order", () => {
    const existing = ["0.1.0", "0.1.1", "0.2.0", "1.0.0-rc.1", "1.0.0", "1.1.0"];
    fc.assert(
      fc.property(
        fc.nat(8),
        fc.nat(8),
        fc.constantFrom(undefined, "<1", ">=0.1 <1.1"),
        (latest, minor, range) => {
          const axis = { ...(latest ? { latest } : {}), ...(minor ? { "latest-minor": minor } : {}), range };
          const versions = versionsOfAxis(axis, existing, semver);
          expect(existing.filter((one) => versions.includes(one))).toEqual(versions);
          if (latest) expect(versions.length).toBeLessThanOrEqual(latest);
        },
      ),
    );
  });
});

describe("other axes", () => {
  it("vary the base, arguments and platforms, and the id says so", () => {
    expect(
      idsOf(
        "axes: {base: [debian:bookworm-slim, debian:trixie], platform: [linux/amd64], args: {port: [81, 80]}}\n",
      ),
    ).toEqual([
      expect.stringMatching(/^demo\.args\.port-80\.base-debian-bookworm-slim\.linux-amd64_h[0-9a-f]{8}$/),
      expect.stringMatching(/^demo\.args\.port-80\.base-debian-trixie\.linux-amd64_h[0-9a-f]{8}$/),
      expect.stringMatching(/^demo\.args\.port-81\.base-debian-bookworm-slim\.linux-amd64_h[0-9a-f]{8}$/),
      expect.stringMatching(/^demo\.args\.port-81\.base-debian-trixie\.linux-amd64_h[0-9a-f]{8}$/),
    ]);
    const { cells } = expanded(`axes: {args: {port: [80, 81]}}\n${AMD}`);
    expect(cells.map(({ cell }) => [cell.cell_id, cell.args.port])).toEqual([
      ["demo.args.port-80.linux-amd64", 80],
      ["demo.args.port-81.linux-amd64", 81],
    ]);
    expect(cells.map(({ render }) => /EXPOSE|RUN app/.test(render().dockerfile))).toEqual([true, true]);
  });

  it("says where a value is that an argument does not take", () => {
    const [finding] = findingsFrom(() => expanded(`axes: {args: {port: [none]}}\n${AMD}`));
    expect(finding).toMatchObject({
      code: "ARG_TYPE",
      where: { file: "control_plane/plans/grid.yaml", line: 4 },
    });
  });

  it("asks what was meant by an axis that is none", () => {
    const [finding] = findingsFrom(() => expanded("axes: {cor: [0.1.0]}\n"));
    expect(finding).toMatchObject({ code: "UNKNOWN_AXIS", fix: "did you mean `core`?" });
  });
});

describe("zip", () => {
  it("moves axes together, position by position, as they are written", () => {
    const lines = `axes: {core: [0.3.0, 0.2.0], app: [0.2.0, 0.1.0]}\nzip: [[core, app]]\n${AMD}`;
    expect(idsOf(lines)).toEqual([
      "demo.core-0.2.0.app-0.1.0.linux-amd64",
      "demo.core-0.3.0.app-0.2.0.linux-amd64",
    ]);
  });

  it.each([
    ["different lengths", "axes: {core: [0.3.0], app: [0.2.0, 0.1.0]}\nzip: [[core, app]]\n", "ZIP_LENGTH"],
    ["an axis that is none", "axes: {core: [0.3.0]}\nzip: [[core, ap]]\n", "UNKNOWN_AXIS"],
    [
      "two groups",
      "axes: {core: [0.3.0], app: [0.2.0], extra: [0.1.0]}\nzip: [[core, app], [app, extra]]\n",
      "ZIP_CYCLE",
    ],
  ])("refuses %s", (_, lines, code) => {
    expect(codesOf(lines)).toEqual([code]);
  });

  it("tells a circle from a shared axis", () => {
    const axes = "axes: {core: [0.3.0], app: [0.2.0], extra: [0.1.0]}\n";
    const circle = errorFrom(() => expanded(`${axes}zip: [[core, app], [app, extra], [extra, core]]\n`));
    expect(circle.message).toContain("form a cycle");
  });
});

describe("constraints", () => {
  const axes = "axes: {core: [0.1.0, 0.2.0, 0.3.0], extra: [0.1.0, 0.2.0]}\n";

  it("hold in every cell, beside what the fragments require", () => {
    const { cells, left_out } = expanded(
      `${axes.replace("}\n", ", app: [0.1.0, 0.2.0]}\n")}constraints: [{when: {core: ">=0.3"}, then: {extra: ">=0.2"}}]\n${AMD}`,
    );
    const rows = cells.map(
      ({ cell: { fragments } }) => `${fragments.core} ${fragments.extra} ${fragments.app}`,
    );
    expect(rows).not.toContain("0.3.0 0.1.0 0.1.0");
    expect(rows).not.toContain("0.1.0 0.1.0 0.2.0");
    expect(rows).toHaveLength(12 - 2 - 2);
    expect(left_out.map(({ what }) => what)).toEqual(["app@0.2.0 requires core >=0.2"]);
  });

  it.each([
    ["removes nothing", "constraints: [{when: {core: 9.0.0}, then: {extra: 0.1.0}}]\n", "RULE_UNUSED"],
    ["always holds", 'constraints: [{when: {core: "*"}, then: {extra: "*"}}]\n', "RULE_UNUSED"],
    ["removes everything", 'constraints: [{when: {core: "*"}, then: {extra: 9.0.0}}]\n', "RULE_REMOVES_ALL"],
    ["names no axis", "constraints: [{when: {cores: 0.1.0}, then: {extra: 0.1.0}}]\n", "UNKNOWN_AXIS"],
  ])("is a finding where one %s", (_, lines, code) => {
    expect(codesOf(axes + lines)).toContain(code);
  });

  it("says which two contradict each other", () => {
    const lines = `axes: {core: [0.2.0, 0.3.0], extra: [0.1.0, 0.2.0]}
constraints:
  - {when: {core: 0.2.0}, then: {extra: 0.1.0}}
  - {when: {core: 0.2.0}, then: {extra: 0.2.0}}
  - {when: {extra: "*"}, then: {core: 0.2.0}}
`;
    for (const strategy of ["", "strategy: pairwise\n"]) {
      const error = errorFrom(() => expanded(lines + strategy));
      expect(error.code).toBe("PLAN_EMPTY");
      expect(error.message).toContain("rule 1 of `constraints`");
      expect(error.message).toContain("rule 2 of `constraints`");
    }
  });
});

describe("strategy", () => {
  const axes = `axes: {core: ["0.1.0", "0.2.0", "0.3.0"], extra: [0.1.0, 0.2.0, 0.3.0], app: [0.1.0, 0.2.0], args: {port: [80, 81, 82]}}\n`;

  it("chooses few cells that hold every allowed pair, and says how many", () => {
    const planned = expanded(`${axes}strategy: pairwise\n`);
    const { product, ...coverage } = planned.coverage.grid ?? { product: 0 };
    expect(product).toBe(108);
    expect(planned.cells.length).toBeLessThan(25);
    expect(coverage).toMatchObject({ t: 2, proven: 0 });
    const pairs = (cells: typeof planned.cells) =>
      new Set(
        cells.flatMap(({ cell }) => {
          const values = [
            ...Object.entries(cell.fragments),
            ["port", cell.args.port],
            ["platform", cell.platform],
          ];
          return values.flatMap((a, at) =>
            values.slice(at + 1).map((b) => `${JSON.stringify(a)} ${JSON.stringify(b)}`),
          );
        }),
      );
    const whole = pairs(expanded(axes).cells);
    expect(pairs(planned.cells)).toEqual(whole);
    expect(coverage).toMatchObject({ allowed: whole.size, covered: whole.size });
  });

  it("takes `always` in", () => {
    const { cells } = expanded(
      `${axes}strategy: pairwise\nalways: [{core: 0.3.0, extra: 0.1.0, args: {port: 82}, platform: linux/arm64}]\n`,
    );
    expect(
      cells.some(
        ({ cell }) =>
          cell.fragments.core === "0.3.0" &&
          cell.fragments.extra === "0.1.0" &&
          cell.args.port === 82 &&
          cell.platform === "linux/arm64",
      ),
    ).toBe(true);
  });

  it.each([
    ["more axes than there are", "strategy: {t: 6}\n", "STRATEGY_TOO_STRONG"],
    [
      "a seed that the rules forbid",
      "strategy: pairwise\nalways: [{core: 0.1.0, app: 0.2.0}]\n",
      "SEED_IMPOSSIBLE",
    ],
    ["a seed beside the axes", "strategy: pairwise\nalways: [{core: 0.2.1}]\n", "SEED_IMPOSSIBLE"],
  ])("refuses %s", (_, lines, code) => {
    expect(codesOf(axes + lines)).toEqual([code]);
  });

  it("reduces a plan that is too large to be enumerated", () => {
    const many = Array.from({ length: 120 }, (_, at) => at + 1);
    const wide = `axes: {core: "*", extra: "*", app: [0.1.0, 0.2.0], args: {port: [${many.join()}], name: [${many.map((one) => `n${one}`).join()}]}}\n`;
    const args =
      "args: {port: {type: integer, default: 80}, name: {type: string, default: a}}\nrequires: {core: '*'}\n";
    const more = { ...fragment("app", "0.1.0", 30, args), ...fragment("app", "0.2.0", 30, args) };
    expect(
      errorFrom(() =>
        expanded(
          `${wide}platforms: [linux/amd64, linux/arm64, linux/s390x, linux/ppc64le, linux/riscv64]\n`,
          more,
        ),
      ),
    ).toMatchObject({
      code: "PLAN_TOO_LARGE",
    });
    const { cells, coverage } = expanded(
      `${wide}platforms: [linux/amd64, linux/arm64, linux/s390x, linux/ppc64le, linux/riscv64]\nstrategy: {t: 1}\n`,
      more,
    );
    expect(cells).toHaveLength(120);
    expect(coverage.grid?.product).toBeGreaterThan(1_000_000);
  });

  it("counts a cell that a record proves as covered, and none whose inputs differ by now", () => {
    const first = expanded(`${axes}strategy: pairwise\n`).cells;
    const inputs = (planned: (typeof first)[number], verdict_key = planned.keys.verdict_key) => ({
      template: planned.keys.template,
      fragments: planned.keys.fragments,
      args: planned.keys.args,
      base: planned.keys.base,
      platform: planned.cell.platform,
      test_suite_hash: planned.keys.test_suite_hash,
      build_key: planned.keys.build_key,
      verdict_key,
    });
    const catalog = makeCatalog({ ...WIDE, ...plan(`${axes}strategy: pairwise\n`) });
    const again = (proven: ReturnType<typeof inputs>[]) =>
      expand(catalog, { planId: "grid" }, { ...TODAY, proven: () => proven });
    const same = again(first.map((one) => inputs(one)));
    expect(same.cells.map(({ cell }) => cell.cell_id)).toEqual(first.map(({ cell }) => cell.cell_id));
    expect(same.coverage.grid?.proven).toBe(first.length);
    const other = again(first.map((one) => inputs(one, `sha256:${"0".repeat(64)}`)));
    expect(other.coverage.grid?.proven).toBe(0);
    const half = again(first.slice(0, 5).map((one) => inputs(one)));
    expect(half.coverage.grid?.proven).toBeGreaterThan(0);
    expect(half.coverage.grid).toMatchObject({ covered: half.coverage.grid?.allowed });
  });
});

describe("expectations", () => {
  const axes = `axes: {core: [0.1.0, 0.2.0]}\n${AMD}`;
  const expects = (until: string, when = "when: {core: 0.1.0}") =>
    `${axes}expect: [{${when}, result: fail, owner: "@a", reason: known, until: "${until}"}]\n`;

  it("hold through their last day, and are a finding from the next", () => {
    expect(expanded(expects("2026-11-21")).cells[0]?.cell.expect).toEqual({
      result: "fail",
      owner: "@a",
      reason: "known",
      until: "2026-11-21",
    });
    const error = errorFrom(() => expanded(expects("2026-11-20")));
    expect(error).toMatchObject({ code: "EXPECT_EXPIRED", where: { line: 6 } });
    expect(error.fix).toContain("@a");
  });

  it("can be about one cell", () => {
    const { cells } = expanded(expects("never", "cell_id: demo.core-0.2.0.linux-amd64"));
    expect(cells.map(({ cell }) => cell.expect?.reason)).toEqual([undefined, "known"]);
    expect(codesOf(expects("never", "cell_id: demo.core-0.2.1.linux-amd64"))).toEqual(["RULE_UNUSED"]);
  });

  it.each(["owner", "reason", "until"])("have to have %s", (field) => {
    const lines = expects("never").replace(new RegExp(`, ${field}: [^,}]+`), "");
    expect(codesOf(lines)).toEqual(["SCHEMA_MISSING_FIELD"]);
  });

  it("are about cells or about one cell, never both", () => {
    expect(codesOf(expects("never", "when: {core: 0.1.0}, cell_id: demo.core-0.2.0.linux-amd64"))).toEqual([
      "SCHEMA",
    ]);
    expect(codesOf(expects("never", "when: {core: 0.1.0}").replace("when: {core: 0.1.0}, ", ""))).toEqual([
      "SCHEMA",
    ]);
  });
});

describe("mergePlans", () => {
  const two = (first: string, second: string) => {
    const catalog = makeCatalog({ ...WIDE, ...plan(first, "one"), ...plan(second, "two") });
    return mergePlans(
      ["one", "two"].map((planId) => expand(catalog, { planId }, TODAY)),
      catalog.fragmentScheme,
    );
  };

  it("makes one cell of what two plans ask for, with both names", () => {
    const { cells, plan_ids } = two(
      `axes: {core: [0.1.0, 0.2.0]}\nmax_age: 30d\n${AMD}`,
      `axes: {core: [0.2.0, 0.3.0]}\nmax_age: 1d\n${AMD}`,
    );
    expect(plan_ids).toEqual(["one", "two"]);
    expect(
      cells.map(({ cell, maxAge }) => [
        cell.fragments.core,
        cell.plan_ids.join(),
        (maxAge ?? 0) / 86_400_000,
      ]),
    ).toEqual([
      ["0.1.0", "one", 30],
      ["0.2.0", "one,two", 1],
      ["0.3.0", "two", 1],
    ]);
  });

  it("refuses one id for two cells, and a cell that is meant to pass and to fail", () => {
    const other = `axes: {core: [0.1.0]}\n${AMD}expect: [{when: {core: 0.1.0}, result: fail, owner: "@a", reason: b, until: never}]\n`;
    expect(errorFrom(() => two(`axes: {core: [0.1.0]}\n${AMD}`, other)).message).toContain(
      "meant to fail in one",
    );
  });
});

describe("a plan", () => {
  it("is the same whatever the order of its axes, values and rules", () => {
    const cores = ["0.1.0", "0.2.0", "0.3.0"];
    const extras = ["0.1.0", "0.2.0", "0.3.0"];
    const ports = [80, 81, 82];
    const text = (core: string[], extra: string[], port: number[], flip: boolean) => {
      const axes = [`core: [${core.join()}]`, `extra: [${extra.join()}]`, `args: {port: [${port.join()}]}`];
      return `axes: {${(flip ? axes.reverse() : axes).join(", ")}}\nexclude: [{core: 0.1.0, extra: 0.3.0}]\nstrategy: pairwise\n`;
    };
    const shown = (lines: string) => JSON.stringify(expanded(lines).cells.map(({ cell }) => cell));
    const plain = shown(text(cores, extras, ports, false));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(cores, { minLength: 3 }),
        fc.shuffledSubarray(extras, { minLength: 3 }),
        fc.shuffledSubarray(ports, { minLength: 3 }),
        fc.boolean(),
        (core, extra, port, flip) => {
          expect(shown(text(core, extra, port, flip))).toBe(plain);
        },
      ),
      { numRuns: 12 },
    );
  });
});
