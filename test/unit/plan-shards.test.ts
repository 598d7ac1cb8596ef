import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { prefixTargets } from "../../src/plan/prefix.ts";
import { parseShard } from "../../src/plan/shards/choice.ts";
import { shard } from "../../src/plan/shards/shard.ts";
import { waveOrder, waves } from "../../src/plan/waves.ts";
import { errorFrom } from "./workspace.ts";

/** A cell by its id: its chain of prefixes, its platform, its pool, and how long it takes. */
interface Made {
  id: string;
  chain: string[];
  platform: string;
  pool: string;
  ms: number | null;
}

interface PooledCell extends PlannedCell {
  made: Made;
}

/** `core/light` becomes the prefixes `core` and `core/light`: an id names all of the chain up to it. */
function planned(made: Partial<Made> & { id: string }): PooledCell {
  const whole: Made = { chain: [], platform: "linux/amd64", pool: "a", ms: null, ...made };
  const prefixes = whole.chain.map((fragment, at) => ({
    fragment,
    version: "1.0.0",
    id: whole.chain.slice(0, at + 1).join("/"),
  }));
  const cell = { cell_id: whole.id, platform: whole.platform, target: `cell-${whole.id}` };
  return { cell, keys: { prefixes }, stitched: { prefixes }, made: whole } as unknown as PooledCell;
}

const options = {
  runnerKey: (one: PlannedCell) => (one as PooledCell).made.pool,
  durationOf: (one: PlannedCell) => (one as PooledCell).made.ms,
};

function split(cells: readonly PlannedCell[], count: { shards: number } | { maxJobs: number }) {
  return shard(cells, { ...options, ...count });
}

const ids = (shards: readonly (readonly PlannedCell[])[]) =>
  shards.map((cells) => cells.map(({ cell }) => cell.cell_id));
const runnerOf = ({ made }: PooledCell) => `${made.platform} ${made.pool}`;
const msOf = (cells: readonly PlannedCell[]) =>
  cells.reduce((sum, one) => sum + ((one as PooledCell).made.ms ?? 0), 0);

const anyCell = fc.record({
  chain: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
  platform: fc.constantFrom("linux/amd64", "linux/amd64", "linux/arm64"),
  pool: fc.constantFrom("a", "a", "gpu"),
  // Some lengths come often, so that there are ties.
  ms: fc.oneof(fc.constantFrom(10, 20, 50), fc.integer({ min: 1, max: 1000 })),
});
const anyCells = fc
  .array(anyCell, { minLength: 1, maxLength: 60, size: "max" })
  .map((list) => list.map((one, at) => planned({ ...one, id: `c${String(at).padStart(2, "0")}` })));
/** Cells, a number of shards that holds all their kinds of runners, and another order of the cells. */
const anySplit = anyCells.chain((cells) =>
  fc.record({
    cells: fc.constant(cells),
    count: fc.oneof(
      fc.integer({ min: new Set(cells.map(runnerOf)).size, max: 12 }),
      fc.integer({ min: new Set(cells.map(runnerOf)).size, max: 70 }),
    ),
    shuffled: fc.shuffledSubarray(cells, { minLength: cells.length }),
  }),
);

describe("shard", () => {
  it("puts every cell into exactly one of N shards, each of one platform and pool", () => {
    fc.assert(
      fc.property(anySplit, ({ cells, count }) => {
        const { shards } = split(cells, { shards: count });
        expect(shards).toHaveLength(count);
        expect(ids(shards).flat().sort()).toEqual(ids([cells]).flat().sort());
        for (const one of shards)
          expect(new Set((one as PooledCell[]).map(runnerOf)).size).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("does not depend on the order in which cells come", () => {
    fc.assert(
      fc.property(anySplit, ({ cells, count, shuffled }) => {
        const [one, other] = [split(cells, { shards: count }), split(shuffled, { shards: count })];
        expect(ids(other.shards)).toEqual(ids(one.shards));
        expect(other.estimate).toEqual(one.estimate);
      }),
    );
  });

  it("gives no shard more than its runner's fair share and the slowest cell together", () => {
    fc.assert(
      fc.property(anySplit, ({ cells, count }) => {
        const { shards, estimate } = split(cells, { shards: count });
        for (const runner of new Set(cells.map(runnerOf))) {
          const own = (shards as PooledCell[][]).filter(([first]) => first && runnerOf(first) === runner);
          const all = cells.filter((one) => runnerOf(one) === runner);
          const slowest = Math.max(...all.map(({ made }) => made.ms ?? 0));
          for (const one of own) expect(msOf(one)).toBeLessThanOrEqual(msOf(all) / own.length + slowest);
        }
        const loads = shards.map(msOf);
        expect(loads).toEqual([...loads].sort((a, b) => b - a));
        expect(estimate.longest_ms).toBe(loads[0]);
        expect(estimate.total_ms).toBe(msOf(cells));
        expect(estimate.floor_ms).toBeLessThanOrEqual(estimate.longest_ms);
        expect(estimate.floor_ms).toBe(
          Math.max(...cells.map(({ made }) => made.ms ?? 0), Math.ceil(msOf(cells) / count)),
        );
      }),
    );
  });

  it("comes to the same shards where the number that it settled on is asked for", () => {
    fc.assert(
      fc.property(anyCells, fc.integer({ min: 4, max: 256 }), (cells, maxJobs) => {
        const { shards } = split(cells, { maxJobs });
        expect(shards).toHaveLength(Math.min(maxJobs, cells.length));
        expect(ids(split(cells, { shards: shards.length }).shards)).toEqual(ids(shards));
      }),
    );
  });

  const family = fc.record({ cells: fc.integer({ min: 1, max: 6 }), ms: fc.integer({ min: 10, max: 400 }) });

  it("never takes a family apart that fits into the fair share and takes no longer than the slowest cell", () => {
    fc.assert(
      fc.property(fc.array(family, { maxLength: 20 }), fc.integer({ min: 1, max: 8 }), (families, count) => {
        const cells = families.flatMap((one, name) =>
          Array.from({ length: one.cells }, (_, at) =>
            planned({ id: `f${name}-${at}`, chain: [`f${name}`, `x${at}`], ms: one.ms }),
          ),
        );
        cells.push(planned({ id: "slow", chain: ["slow"], ms: 1000 }));
        const { shards } = split(cells, { shards: count });
        for (const name of families.keys()) {
          const own = cells.filter(({ made }) => made.chain[0] === `f${name}`);
          if (count >= cells.length || msOf(own) > 1000 || msOf(own) > msOf(cells) / count) continue;
          expect(shards.filter((one) => one.some((each) => own.includes(each as PooledCell)))).toHaveLength(
            1,
          );
        }
      }),
    );
  });

  it("takes no family apart where families of equal length come out even", () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.nat({ max: 3 }), fc.nat({ max: 4 }), (more, times, extra) => {
        const [count, size] = [more + 1, extra + 1];
        const cells = Array.from({ length: count * (times + 1) }, (_, name) =>
          Array.from({ length: size }, (__, at) =>
            planned({ id: `f${name}-${at}`, chain: [`f${name}`, `x${at}`], ms: 60 / size }),
          ),
        ).flat();
        fc.pre(count < cells.length);
        for (const one of split(cells, { shards: count }).shards) {
          const names = (one as PooledCell[]).map(({ made }) => made.chain[0]);
          expect(new Set(names).size * size).toBe(names.length);
        }
      }),
    );
  });

  it("takes a family apart at its sub-families where it outweighs its share", () => {
    const cells = ["x", "y", "z"].flatMap((light) =>
      [0, 1].map((at) => planned({ id: `${light}${at}`, chain: ["core", light, String(at)], ms: 10 })),
    );
    expect(ids(split(cells, { shards: 3 }).shards).map((one) => one.join(" "))).toEqual([
      "x0 x1",
      "y0 y1",
      "z0 z1",
    ]);
  });

  it("takes a family apart that outweighs its share, even where a shard could hold it", () => {
    // A share is 140 and the slowest cell takes 80, so that a shard could take up to 220.
    const cells = [
      ...["x", "x", "y", "y"].map((light, at) => planned({ id: `c${at}`, chain: ["core", light], ms: 50 })),
      planned({ id: "slow", chain: ["slow"], ms: 80 }),
    ];
    expect(ids(split(cells, { shards: 2 }).shards)).toEqual([
      ["slow", "c0", "c1"],
      ["c2", "c3"],
    ]);
  });

  it("gives cells without families, the longest first, each to the least filled shard", () => {
    const durations = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 12 }), (list, count) => {
        const loads = Array.from({ length: count }, () => 0);
        for (const ms of [...list].sort((a, b) => b - a)) {
          loads.sort((a, b) => a - b);
          loads[0] = (loads[0] ?? 0) + ms;
        }
        const cells = list.map((ms, at) => planned({ id: `c${at}`, ms }));
        expect(split(cells, { shards: count }).shards.map(msOf)).toEqual(loads.sort((a, b) => b - a));
      }),
    );
  });

  it("rather takes a family apart than let a shard become longer than share and slowest cell", () => {
    // Three families of two thirds of a share each: whole ones would make one shard a third too long.
    const cells = ["x", "y", "z"].flatMap((core) =>
      Array.from({ length: 10 }, (_, at) =>
        planned({ id: `${core}${at}`, chain: [core, String(at)], ms: 10 }),
      ),
    );
    const { shards } = split(cells, { shards: 2 });
    expect(shards.map(msOf)).toEqual([150, 150]);
    const torn = ["x", "y", "z"].filter((core) =>
      shards.every((one) => one.some(({ cell }) => cell.cell_id.startsWith(core))),
    );
    expect(torn).toEqual(["z"]);
  });

  it("keeps cells of one family together in a shard, with the longest first", () => {
    const cells = [
      planned({ id: "a1", chain: ["a", "x"], ms: 10 }),
      planned({ id: "a2", chain: ["a", "y"], ms: 20 }),
      planned({ id: "a3", chain: ["a", "x"], ms: 30 }),
      planned({ id: "b1", chain: ["b"], ms: 25 }),
      planned({ id: "c1", chain: [], ms: 40 }),
      planned({ id: "c2", chain: [], ms: 5 }),
    ];
    expect(ids(split(cells, { shards: 1 }).shards)).toEqual([["c1", "a3", "a1", "a2", "b1", "c2"]]);
  });

  it("gives runners shards in proportion to their work, at least one each and no more than they have cells", () => {
    const work = (platform: string, count: number, ms: number) =>
      Array.from({ length: count }, (_, at) => planned({ id: `${platform}-${at}`, platform, ms }));
    const cells = [
      ...work("linux/amd64", 20, 30),
      ...work("linux/arm64", 20, 9),
      ...work("linux/s390x", 2, 1),
    ];
    const countOf = (all: readonly PlannedCell[], shards: number) => {
      const counts: Record<string, number> = {};
      for (const [first] of split(all, { shards }).shards)
        if (first) counts[first.cell.platform] = (counts[first.cell.platform] ?? 0) + 1;
      return counts;
    };
    // Quotas of 10: 7.67, 2.30 and 0.03. The one that the last gets is no remainder of the first.
    expect(countOf(cells, 10)).toEqual({ "linux/amd64": 7, "linux/arm64": 2, "linux/s390x": 1 });
    // Of 14: 10.74, 3.22 and 0.04; the floors and the one of the last come to 14.
    expect(countOf(cells, 14)).toEqual({ "linux/amd64": 10, "linux/arm64": 3, "linux/s390x": 1 });
    // Without the last, of 12: 9.23 and 2.77; of 10: 7.69 and 2.31.
    expect(countOf(cells.slice(0, 40), 12)).toEqual({ "linux/amd64": 9, "linux/arm64": 3 });
    expect(countOf(cells.slice(0, 40), 10)).toEqual({ "linux/amd64": 8, "linux/arm64": 2 });
    // Of 3: 2.30, 0.69 and 0.01: the first gives one away.
    expect(countOf(cells, 3)).toEqual({ "linux/amd64": 1, "linux/arm64": 1, "linux/s390x": 1 });
    const heavy = [...work("linux/amd64", 2, 1000), ...work("linux/arm64", 8, 1)];
    expect(countOf(heavy, 6)).toEqual({ "linux/amd64": 2, "linux/arm64": 4 });
  });

  it("is one cell each where there are enough shards, the longest first, and empty ones at the end", () => {
    const cells = [3, 1, 2].map((ms, at) => planned({ id: `c${at}`, chain: ["same"], ms }));
    expect(ids(split(cells, { shards: 5 }).shards)).toEqual([["c0"], ["c2"], ["c1"], [], []]);
    expect(ids(split(cells, { maxJobs: 256 }).shards)).toEqual([["c0"], ["c2"], ["c1"]]);
    const pair = [...cells, planned({ id: "other", ms: 100 })];
    expect(ids(split(pair, { shards: 4 }).shards)).toEqual([["other"], ["c0"], ["c2"], ["c1"]]);
    expect(split([], { shards: 2 })).toEqual({
      shards: [[], []],
      estimate: {
        floor_ms: 0,
        longest_ms: 0,
        total_ms: 0,
        slowest: null,
        known: { durations: 0, of: 0 },
      },
    });
    expect(split([], { maxJobs: 2 }).shards).toEqual([]);
  });

  it("takes the median of the platform, or of all, or a minute, where no duration is known", () => {
    const cells = [
      planned({ id: "a1", ms: 10 }),
      planned({ id: "a2", ms: 30 }),
      planned({ id: "a3", ms: 1000 }),
      planned({ id: "a4" }),
      planned({ id: "b1", platform: "linux/arm64" }),
      planned({ id: "b2", platform: "linux/arm64", ms: Number.NaN }),
    ];
    const { estimate } = split(cells, { shards: 2 });
    expect(estimate).toMatchObject({
      total_ms: 1040 + 30 + 2 * 30,
      slowest: "a3",
      floor_ms: 1000,
      known: { durations: 3, of: 6 },
    });
    const arm = [...cells, planned({ id: "b3", platform: "linux/arm64", ms: 101 })];
    // The median of all four is 65.5: that of their own platform comes first.
    expect(split(arm, { shards: 2 }).estimate.total_ms).toBe(1040 + 30 + 3 * 101);
    expect(split([planned({ id: "a" }), planned({ id: "b" })], { shards: 1 }).estimate).toMatchObject({
      total_ms: 120_000,
      known: { durations: 0, of: 2 },
    });
  });

  it("names the slowest cell, and of several the first by id", () => {
    const cells = ["c", "b", "d"].map((id) => planned({ id, chain: [id === "b" ? "z" : "a"], ms: 7 }));
    expect(split([...cells, planned({ id: "a", ms: 6 })], { shards: 2 }).estimate.slowest).toBe("b");
  });

  it("says how many shards are needed where there are too few for the kinds of runners", () => {
    const cells = ["linux/amd64", "linux/arm64"].flatMap((platform) =>
      [0, 1].map((at) => planned({ id: `${platform}-${at}`, platform })),
    );
    cells.push(planned({ id: "gpu", pool: "gpu" }));
    for (const count of [{ shards: 2 }, { maxJobs: 2 }]) {
      const error = errorFrom(() => split(cells, count));
      expect(error).toMatchObject({ code: "SHARDS_TOO_FEW", exitCode: 2, fix: "ask for at least 3 shards" });
      expect(error.message).toContain("`linux/amd64 (gpu)`");
    }
    expect(split(cells, { shards: 3 }).shards).toHaveLength(3);
  });

  it.each([0, -1, 1.5, Number.NaN, 10_001])("refuses %s shards", (count) => {
    expect(errorFrom(() => split([planned({ id: "a" })], { shards: count })).code).toBe("USAGE");
    expect(errorFrom(() => split([planned({ id: "a" })], { maxJobs: count })).code).toBe("USAGE");
  });
});

describe("parseShard", () => {
  it("reads K/N", () => {
    expect(parseShard("3/16")).toEqual({ index: 3, count: 16 });
    expect(parseShard("1/1")).toEqual({ index: 1, count: 1 });
  });

  it.each([
    ["0/4", "counted from 1"],
    ["5/4", "only 4 shards"],
    ["1/0", "into 0 shards"],
    ["1/99999", "into 99999 shards"],
    ["a/b", "does not name a shard"],
    ["3", "does not name a shard"],
    ["-1/4", "does not name a shard"],
    ["1/4/2", "does not name a shard"],
    ["1.5/4", "does not name a shard"],
    ["", "does not name a shard"],
    [" 1/4", "does not name a shard"],
    ["1/4\n", "does not name a shard"],
  ])("refuses %j", (text, what) => {
    const error = errorFrom(() => parseShard(text));
    expect(error).toMatchObject({ code: "USAGE", exitCode: 2 });
    expect(error.message).toContain(what);
    expect(error.fix).toBeTruthy();
  });
});

describe("waves", () => {
  const cells = [
    planned({ id: "1", chain: ["core", "light", "app"] }),
    planned({ id: "2", chain: ["core", "light", "web"] }),
    planned({ id: "3", chain: ["core", "heavy", "app"] }),
    planned({ id: "4", chain: ["other", "light", "app"] }),
    planned({ id: "5", chain: ["core", "light", "app"], platform: "linux/arm64" }),
    planned({ id: "6", chain: ["core", "light"], platform: "linux/arm64" }),
  ];
  const shown = waves(cells).map(({ kind, targets }) => ({
    kind,
    targets: targets.map(({ target, cells: count }) => `${target.replace(/[^a-z0-9]+/g, "-")} ${count}`),
  }));

  it("are the prefixes that several cells share, level by level and once a platform, then the cells", () => {
    expect(shown).toEqual([
      { kind: "prefixes", targets: ["core-1-0-0-core-linux-amd64 3", "core-1-0-0-core-linux-arm64 2"] },
      {
        kind: "prefixes",
        targets: ["light-1-0-0-core-light-linux-amd64 2", "light-1-0-0-core-light-linux-arm64 2"],
      },
      { kind: "cells", targets: [1, 2, 3, 4, 5, 6].map((id) => `cell-${id} 1`) },
    ]);
  });

  it("name the targets of prefixTargets, each in one wave after the shorter ones", () => {
    fc.assert(
      fc.property(anyCells, (some) => {
        const known = new Set(prefixTargets(some, null).map(({ target }) => target));
        const all = waves(some);
        const names = all.flatMap(({ targets }) => targets.map(({ target }) => target));
        expect(new Set(names).size).toBe(names.length);
        for (const [level, { kind, targets }] of all.slice(0, -1).entries()) {
          expect(kind).toBe("prefixes");
          for (const { target, platform, cells: count, cell } of targets) {
            const id = cell.keys.prefixes[level]?.id;
            const having = some.filter(
              (one) => one.made.platform === platform && one.keys.prefixes.some((prefix) => prefix.id === id),
            );
            expect(known).toContain(target);
            expect(count).toBe(having.length);
            expect(count).toBeGreaterThan(1);
            expect(cell).toBe(having[0]);
          }
        }
        expect(all.at(-1)?.targets.map(({ cell }) => cell)).toEqual(some);
      }),
    );
  });

  it("have a prefix that is the whole chain of one cell and the beginning of another's, whichever comes first", () => {
    const long = planned({ id: "long", chain: ["core", "light"] });
    const short = planned({ id: "short", chain: ["core"] });
    for (const both of [
      [long, short],
      [short, long],
    ])
      expect(waves(both)[0]).toMatchObject({ kind: "prefixes", targets: [{ cells: 2, cell: both[0] }] });
    // Nobody extends it: it has no target of its own.
    expect(waves([short, planned({ id: "twin", chain: ["core"] })])).toHaveLength(1);
  });

  it("are none where there is nothing to build", () => {
    expect(waves([])).toEqual([]);
  });

  it("start with one cell for each prefix, and hold every cell once", () => {
    expect(ids([waveOrder(cells)])).toEqual([["1", "5", "2", "3", "4", "6"]]);
    fc.assert(
      fc.property(anyCells, (some) => {
        expect(
          ids([waveOrder(some)])
            .flat()
            .sort(),
        ).toEqual(ids([some]).flat().sort());
      }),
    );
  });
});
