import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import type { Palette } from "../../src/screen/palette.ts";
import { planTable } from "../../src/commands/plan-table.ts";
import { table, textWidth, wrap } from "../../src/screen/table.ts";
import { type Cell, type Planned, type PlannedCell, withCell } from "../../src/plan/cell.ts";
import { madeCell, madeGrid, versions } from "./plan-made-cells.ts";

const NAMES = ["red", "green", "yellow", "cyan", "dim", "bold"] as const;
const plain = Object.fromEntries(NAMES.map((name) => [name, (text: string) => text])) as Palette;
const marked = Object.fromEntries(
  NAMES.map((name) => [name, (text: string) => `<${name}>${text}</>`]),
) as Palette;

const PLATFORMS = ["linux/amd64", "linux/arm64"];

function planned(cells: PlannedCell[], more: Partial<Planned> = {}): Planned {
  return {
    plan_id: "grid",
    plan_ids: ["grid"],
    manifest_id: "demo",
    cells,
    left_out: [],
    coverage: {},
    ...more,
  };
}

function lines(plan: Planned, columns?: number, color = plain): string[] {
  return [...planTable(plan, { columns, color })];
}

const CORE: Partial<Cell> = {
  action: "build",
  reason: "FRAGMENT",
  changes: [
    { input: "fragments.core", before: "0.1.0", after: "0.1.1" },
    { input: "tests", before: "sha256:aaaaaaaaaaaa", after: "sha256:bbbbbbbbbbbb" },
  ],
};
const REUSED: Partial<Cell> = { action: "reuse", reason: null };
const FAILS: Partial<Cell> = {
  expect: { result: "fail", owner: "@team", reason: "light 0.1 needs more", until: "2027-01-31" },
};

/** Four cells of one manifest: what varies is core alone. */
const FEW = madeGrid({ security: ["0.1.0"], core: versions(2), app: ["1.0.0"] }, PLATFORMS, {
  chosen: ["core"],
});

describe("a few cells", () => {
  it("are one line each, and what they have in common is said once", () => {
    const cells = FEW.map((one, at) => withCell(one, at < 2 ? CORE : REUSED));
    expect(lines(planned(cells))).toEqual([
      "demo: debian:bookworm-slim, security 0.1.0, app 1.0.0",
      "CELL                         ACTION  REASON",
      "demo.core-0.1.0.linux-amd64  build   FRAGMENT core 0.1.0 → 0.1.1 (+1)",
      "demo.core-0.1.0.linux-arm64  build   FRAGMENT core 0.1.0 → 0.1.1 (+1)",
      "demo.core-0.2.0.linux-amd64  reuse",
      "demo.core-0.2.0.linux-arm64  reuse",
      "",
      "4 cells (2 × linux/amd64, 2 × linux/arm64), 6 prefixes, 0 meant to fail",
      "2 build, 2 reuse",
    ]);
  });

  it("tell verdicts only where one is meant to fail", () => {
    const cells = FEW.map((one, at) => (at === 1 ? withCell(one, FAILS) : one)).slice(0, 2);
    expect(lines(planned(cells)).slice(0, 4)).toEqual([
      "demo: debian:bookworm-slim, security 0.1.0, core 0.1.0, app 1.0.0",
      "CELL                         ACTION  REASON  EXPECTED",
      "demo.core-0.1.0.linux-amd64  build   NEW     passes",
      "demo.core-0.1.0.linux-arm64  build   NEW     fails: light 0.1 needs more (@team, until 2027-01-31)",
    ]);
    expect(lines(planned(cells)).at(-1)).toContain(", 1 meant to fail");
  });

  it("of several manifests have a heading for each", () => {
    const cells = [
      ...FEW.slice(0, 1),
      madeCell({ manifest: "other", base: "b:1", platform: "linux/arm64", fragments: { x: "1.0.0" } }),
    ];
    expect(lines(planned(cells)).filter((line) => /^\w+: /.test(line))).toEqual([
      "demo: debian:bookworm-slim, linux/amd64, security 0.1.0, core 0.1.0, app 1.0.0",
      "other: b:1, linux/arm64, x 1.0.0",
    ]);
  });

  it("whose ids are cut say what varies", () => {
    const long = `0.1.0-${"a".repeat(64)}`;
    const fragments = { core: long, extra: long };
    const cells = [
      madeCell({ fragments: { ...fragments, app: "1.0.0" } }),
      madeCell({ fragments: { ...fragments, app: "2.0.0" } }),
    ];
    const rows = lines(planned(cells)).slice(1, 4);
    expect(rows[0]).toMatch(/^CELL +ACTION +REASON +WITH$/);
    expect(rows.slice(1).map((row) => / {2}(app .*)$/.exec(row)?.[1])).toEqual(["app 1.0.0", "app 2.0.0"]);
  });

  it.each<[Partial<Cell>, string]>([
    [
      { reason: "BASE", changes: [{ input: "base.digest", before: "sha256:a", after: "sha256:b" }] },
      "BASE digest sha256:a → sha256:b",
    ],
    [
      { reason: "BASE", changes: [{ input: "base.digest", before: null, after: "sha256:b" }] },
      "BASE digest → sha256:b",
    ],
    [
      { reason: "TESTS", changes: [{ input: "tests", before: "sha256:a", after: "sha256:b" }] },
      "TESTS sha256:a → sha256:b",
    ],
    [
      { reason: "ARGS", changes: [{ input: "args.port", before: "80", after: "8080" }] },
      "ARGS port 80 → 8080",
    ],
    [
      { reason: "FRAGMENT", changes: [{ input: "fragments.x", before: "1.0.0", after: null }] },
      "FRAGMENT x 1.0.0 gone",
    ],
    [
      { reason: "FILES", changes: [{ input: "fragments.core", before: null, after: "fragments/core/a" }] },
      "FILES core fragments/core/a",
    ],
    [
      { reason: "POLICY", changes: [{ input: "factory.yaml", before: null, after: "factory.yaml" }] },
      "POLICY factory.yaml",
    ],
    [{ reason: "FORCED", changes: [] }, "FORCED"],
    [
      { reason: "POLICY", changes: [{ input: "x", before: "\u001b[31m", after: "\u009b1m" }] },
      "POLICY x \\u001b[31m → \\u009b1m",
    ],
  ])("give a reason: %j", (cell, text) => {
    expect(lines(planned([withCell(madeCell({ fragments: { core: "0.1.0" } }), cell)]))[2]).toBe(
      `demo.core-0.1.0.linux-amd64  build   ${text}`,
    );
  });

  it("may be none", () => {
    expect(lines(planned([]))).toEqual(["0 cells: there is nothing to do"]);
  });
});

describe("what comes behind the cells", () => {
  it("is how much they cover, a plan each", () => {
    const coverage = { t: 2, allowed: 412, covered: 412, product: 1000, proven: 0 };
    expect(lines(planned(FEW, { coverage: { grid: coverage } })).at(-1)).toBe(
      "pairs: 412/412, 4 cells instead of 1,000",
    );
    const two = planned(FEW, {
      plan_ids: ["grid", "wide"],
      coverage: { grid: { ...coverage, t: 3, proven: 1200 }, wide: { ...coverage, t: 4, covered: 2 } },
    });
    expect(lines(two).slice(-2)).toEqual([
      "grid, triples: 412/412, 4 cells instead of 1,000, 1,200 of them proven by records",
      "wide, combinations of 4: 2/412, 0 cells instead of 1,000",
    ]);
    expect(lines(two, undefined, marked).at(-1)).toMatch(/^<yellow>wide/);
  });

  it("is what was left out, each once, and twenty at most", () => {
    const values = { core: "0.3.0", platform: "linux/arm64", "args.port": "80" };
    const one = { values, what: "core 0.3.0 does not run there" };
    expect(lines(planned(FEW, { left_out: [one, { ...one }] })).slice(-2)).toEqual([
      expect.stringMatching(/^4 cells/),
      "left out: core 0.3.0, linux/arm64, port 80: core 0.3.0 does not run there",
    ]);
    const many = Array.from({ length: 1033 }, (_, at) => ({ values: {}, what: `rule ${at}` }));
    const left = lines(planned(FEW, { left_out: many })).filter((line) => line.startsWith("left out"));
    expect(left).toHaveLength(21);
    expect(left.at(-1)).toBe("left out: 1,013 more; `--format json` names them");
  });
});

describe("many cells", () => {
  const MANY = madeGrid({ core: versions(10), app: versions(25) }, PLATFORMS).map((one, at) =>
    withCell(one, at < 4 ? CORE : at < 6 ? { action: "retest", reason: "TESTS" } : REUSED),
  );

  it("are counted first, by action and reason, platform and plan", () => {
    const cells = MANY.map((one, at) => withCell(one, { plan_ids: at < 100 ? ["a", "b"] : ["b"] }));
    expect(lines(planned(cells)).slice(0, 13)).toEqual([
      "CELLS  ACTION  REASON",
      "    4  build   FRAGMENT core 0.1.0 → 0.1.1",
      "    2  retest  TESTS",
      "  494  reuse",
      "",
      "CELLS  TO BUILD  PLATFORM",
      "  250         2  linux/amd64",
      "  250         2  linux/arm64",
      "",
      "CELLS  TO BUILD  PLAN",
      "  100         4  a",
      "  500         4  b",
      "",
    ]);
  });

  it("have a line each, with their whole id first, where there is no terminal", () => {
    const ids = lines(planned(MANY)).map((line) => line.split(" ")[0]);
    for (const { cell } of MANY) expect(ids.filter((id) => id === cell.cell_id)).toHaveLength(1);
  });

  it("are cut on a terminal to those that something is done about, platforms together", () => {
    const shown = lines(planned(MANY), 120);
    expect(shown.filter((line) => line.startsWith("demo."))).toEqual([
      "demo.core-0.1.0.app-0.1.0.linux-{amd64,arm64}  build   FRAGMENT core 0.1.0 → 0.1.1 (+1)",
      "demo.core-0.1.0.app-0.2.0.linux-{amd64,arm64}  build   FRAGMENT core 0.1.0 → 0.1.1 (+1)",
      "demo.core-0.1.0.app-0.3.0.linux-{amd64,arm64}  retest  TESTS",
    ]);
    expect(shown).toContain("… and 494 more cells: `--format json`, or a pipe, shows them all");
  });

  it("are not put together where something else is done about them", () => {
    const cells = MANY.map((one) => withCell(one, one.cell.platform === "linux/amd64" ? REUSED : CORE));
    const shown = lines(planned(cells), 120).filter((line) => line.startsWith("demo."));
    expect(shown).toHaveLength(30);
    expect(shown.every((line) => / build +FRAGMENT/.test(line) && line.includes(".linux-arm64 "))).toBe(true);
    expect(lines(planned(cells), 120)).toContain(
      "… and 470 more cells: `--format json`, or a pipe, shows them all",
    );
  });

  it("are not put together where different things are done for one reason", () => {
    const cells = MANY.map((one) =>
      withCell(one, {
        action: one.cell.platform === "linux/amd64" ? "build" : "retag",
        reason: "POLICY",
        changes: [],
      }),
    );
    expect(lines(planned(cells), 120).join("\n")).not.toContain("{");
  });

  it("show an example of each reason, and of what is meant to fail", () => {
    const cells = MANY.map((one, at) =>
      withCell(
        one,
        at === 499 ? { ...FAILS, reason: "NEW" } : at === 498 ? { reason: "EXPIRED" } : { reason: "NEW" },
      ),
    ).map((one) => withCell(one, { action: "build", changes: [] }));
    const text = lines(planned(cells), 200).join("\n");
    expect(text).toMatch(/linux-arm64 .*fails: light/);
    expect(text).toMatch(/linux-amd64 .*EXPIRED/);
  });

  it("of many reasons are counted by their kinds", () => {
    const cells = MANY.map((one, at) =>
      withCell(one, {
        action: "build",
        reason: "FILES",
        changes: [{ input: "x", before: null, after: `${at % 9}` }],
      }),
    );
    expect(lines(planned(cells)).slice(0, 3)).toEqual(["CELLS  ACTION  REASON", "  500  build   FILES", ""]);
  });

  it.each([undefined, 100])(
    "are each looked at a number of times that does not grow with the others: %s",
    (columns) => {
      const reads = (count: number) => {
        let total = 0;
        const cells = madeGrid({ core: versions(count / 2) }, PLATFORMS).map((one) => {
          const cell = new Proxy(one.cell, {
            get: (target, name) => {
              total += 1;
              return Reflect.get(target, name) as unknown;
            },
          });
          return Object.defineProperty(Object.create(one) as PlannedCell, "cell", { value: cell });
        });
        lines(planned(cells), columns);
        return total;
      };
      expect(reads(2000) / reads(1000)).toBeLessThan(2.1);
    },
  );
});

describe("a terminal", () => {
  it("gets no line that is wider, and every id whole where nothing is cut", () => {
    const shape = fc.record({
      core: fc.integer({ min: 1, max: 12 }),
      app: fc.integer({ min: 1, max: 4 }),
      columns: fc.integer({ min: 20, max: 160 }),
      reason: fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
      fails: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, ({ core, app, columns, reason, fails }) => {
        const cells = madeGrid({ core: versions(core), app: versions(app) }, PLATFORMS, {
          manifest: "m".repeat(50),
        }).map((one, at) =>
          withCell(one, {
            changes: [{ input: "fragments.core", before: reason, after: "0.1.0" }],
            expect: fails && at === 0 ? { result: "fail", owner: "@o", reason, until: "never" } : null,
          }),
        );
        const coverage = { grid: { t: 2, allowed: 412, covered: 412, product: 1000, proven: 12 } };
        const left_out = [{ values: { core: "1" }, what: `${reason} ${"w".repeat(170)}` }];
        const all = lines(planned(cells, { coverage, left_out }), columns);
        for (const line of all) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        if (cells.length > 40) return;
        const text = all.join("").replace(/\s/g, "");
        for (const { cell } of cells) expect(text).toContain(cell.cell_id);
      }),
    );
  });

  it("that is narrow has each cell on lines of its own", () => {
    const cells = [withCell(FEW[0] as PlannedCell, { ...CORE, ...FAILS })];
    expect(lines(planned(cells), 40)).toEqual([
      "demo: debian:bookworm-slim, linux/amd64,",
      "  security 0.1.0, core 0.1.0, app 1.0.0",
      "demo.core-0.1.0.linux-amd64",
      "  build FRAGMENT core 0.1.0 → 0.1.1 (+1)",
      "  fails: light 0.1 needs more (@team,",
      "    until 2027-01-31)",
      "",
      "1 cell (1 × linux/amd64), 2 prefixes, 1",
      "  meant to fail",
    ]);
  });

  it("has colours for what is done, that take no room", () => {
    const cells = FEW.map((one, at) => withCell(one, at === 0 ? FAILS : at === 1 ? REUSED : {}));
    const shown = lines(planned(cells), 120, marked);
    expect(shown[0]).toMatch(/^<bold>demo<\/>: /);
    expect(shown[2]).toMatch(/<yellow>build<\/> {3}NEW {5}<red>fails/);
    expect(shown[3]).toMatch(/<green>reuse<\/> {11}<dim>passes/);
    expect(shown.map((line) => line.replace(/<\/?\w*>/g, ""))).toEqual(lines(planned(cells), 120));
  });
});

describe("table", () => {
  it("cuts coloured texts, and ends their colours", () => {
    const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
    const [, row = ""] = table(["A", "B"], [[red("a".repeat(30)), "b"]], 20).split("\n");
    expect(row).toBe(`${red(`${"a".repeat(16)}…`)}  b`);
  });

  it("takes 200,000 rows", () => {
    const rows = Array.from({ length: 200_000 }, (_, at) => [String(at), "x"]);
    expect(table(["N", "X"], rows, 80).split("\n").at(-1)).toBe("199999  x");
  });

  it("measures as string-width does", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" })),
        (text) => {
          expect(textWidth(text)).toBe(stringWidth(text));
        },
      ),
      { numRuns: 50 },
    );
    const latin = Array.from({ length: 256 }, (_, at) => String.fromCharCode(at));
    for (const character of [...latin, "→", "…"]) expect(textWidth(character)).toBe(stringWidth(character));
  });
});

describe("wrap", () => {
  it("keeps every word, in lines that fit", () => {
    const words = fc.array(
      fc
        .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 30 })
        .map((word) => word.replaceAll(" ", "_")),
      {
        minLength: 1,
      },
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 4, max: 60 }), (all, columns) => {
        const wrapped = wrap(all.join(" "), columns);
        for (const line of wrapped) expect(line.length).toBeLessThanOrEqual(columns);
        expect(wrapped.join("").replaceAll(" ", "")).toBe(all.join(""));
      }),
    );
    expect(wrap("a b  c", undefined)).toEqual(["a b  c"]);
  });
});
