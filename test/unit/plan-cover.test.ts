import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PUBLISHED_SIZES } from "../../bench/covering-sizes.ts";
import { cover, ImpossibleSeeds, tupleCount } from "../../src/plan/cover/cover.ts";
import { verifyCoverage } from "../../src/plan/cover/verify.ts";
import {
  allowedRows,
  contains,
  IMPLIED,
  modelOf,
  partialOf,
  smallModel,
  tuplesOf,
} from "./plan-cover-models.ts";

/** A model, a strength that it has, partial rows, and whole rows of which some are forbidden. */
const task = smallModel.chain((model) =>
  fc.record({
    model: fc.constant(model),
    t: fc.integer({ min: 1, max: Math.min(4, model.sizes.length) }),
    partials: fc.array(partialOf(model.sizes), { maxLength: 4 }),
    whole: fc.array(
      partialOf(model.sizes).map((row) => row.map((value) => Math.max(0, value))),
      { maxLength: 5 },
    ),
  }),
);

describe("cover", () => {
  it("has every combination of an allowed row, and none that no allowed row has", () => {
    fc.assert(
      fc.property(task, ({ model, t }) => {
        const allowed = allowedRows(model);
        const { rows, usedProven } = cover(model, { t });
        const columns = model.sizes.length;
        expect(usedProven).toEqual([]);
        for (const row of rows) expect(allowed).toContainEqual(row);
        expect(tuplesOf(rows, columns, t)).toEqual(tuplesOf(allowed, columns, t));
        expect(new Set(rows.map(String)).size).toBe(rows.length);
        expect(rows.length).toBeLessThanOrEqual(allowed.length);
      }),
    );
  });

  it("has the seeds, and counts what is proven", () => {
    fc.assert(
      fc.property(task, ({ model, t, partials, whole }) => {
        const allowed = allowedRows(model);
        const seeds = partials.filter((seed) => allowed.some((row) => contains(row, seed)));
        const { rows, usedProven } = cover(model, { t, seeds, proven: whole });
        const used = usedProven.map((at) => whole[at] ?? []);
        const all = [...rows, ...used];
        for (const row of all) expect(allowed).toContainEqual(row);
        expect(tuplesOf(all, model.sizes.length, t)).toEqual(tuplesOf(allowed, model.sizes.length, t));
        for (const seed of seeds) expect(all.some((row) => contains(row, seed))).toBe(true);
        expect(new Set(rows.map(String)).size).toBe(rows.length);
        expect(new Set(used.map(String)).size).toBe(used.length);
      }),
    );
  });

  it("names every seed that no allowed row has", () => {
    fc.assert(
      fc.property(task, ({ model, t, partials }) => {
        const allowed = allowedRows(model);
        const impossible = [...partials.keys()].filter(
          (at) => !allowed.some((row) => contains(row, partials[at] ?? [])),
        );
        fc.pre(impossible.length > 0);
        try {
          cover(model, { t, seeds: partials });
          expect.unreachable();
        } catch (error) {
          expect(error).toBeInstanceOf(ImpossibleSeeds);
          expect((error as ImpossibleSeeds).seeds).toEqual(impossible);
        }
      }),
    );
  });

  it("is the same each time, and leaves what it was given as it was", () => {
    fc.assert(
      fc.property(task, ({ model, t, partials, whole }) => {
        const allowed = allowedRows(model);
        const seeds = partials.filter((seed) => allowed.some((row) => contains(row, seed)));
        const options = { t, seeds, proven: whole };
        const before = JSON.stringify([model.sizes, options]);
        const first = cover(model, options);
        expect(cover(model, options)).toEqual(first);
        expect(JSON.stringify([model.sizes, options])).toBe(before);
        const order = first.rows.map((row) => row.join());
        expect(order).toEqual([...order].sort());
      }),
      { numRuns: 50 },
    );
  });

  it("costs nothing where all is proven, and names no proven row that adds nothing", () => {
    fc.assert(
      fc.property(task, ({ model, t }) => {
        const { rows } = cover(model, { t });
        const again = cover(model, { t, proven: [...rows, ...rows] });
        expect(again.rows).toEqual([]);
        expect(again.usedProven.every((at) => at < rows.length)).toBe(true);
        const proven = again.usedProven.map((at) => rows[at] ?? []);
        expect(tuplesOf(proven, model.sizes.length, t)).toEqual(tuplesOf(rows, model.sizes.length, t));
      }),
    );
  });

  it("passes over proven rows that are not whole, too short or forbidden", () => {
    const model = modelOf([2, 2], { 0: [0], 1: [0] });
    const { rows, usedProven } = cover(model, { t: 2, proven: [[0, 0], [0, -1], [1], [0, 2], [0, 1]] });
    expect(usedProven).toEqual([4]);
    expect(rows).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });

  it("lets a proven row hold a seed, and names it for that alone", () => {
    const model = modelOf([3, 3, 3]);
    const { rows } = cover(model, { t: 2 });
    const seed = allowedRows(model).find((row) => !rows.some((one) => contains(one, row))) ?? [];
    const held = cover(model, { t: 2, seeds: [seed], proven: [...rows, seed] });
    expect(held).toEqual({ rows: [], usedProven: [...rows.keys(), rows.length] });
  });

  it("puts seeds that go together into one row, and needs none more for what a combination has anyway", () => {
    const model = modelOf([2, 2, 2, 2, 2, 2, 2]);
    const small = cover(model, { t: 2 }).rows.length;
    const seeds = [
      [0, 0, 0, -1, -1, -1, -1],
      [-1, -1, -1, 1, 1, 1, -1],
    ];
    const { rows } = cover(model, { t: 2, seeds });
    expect(rows.some((row) => contains(row, [0, 0, 0, 1, 1, 1, -1]))).toBe(true);
    expect(rows.length).toBeLessThanOrEqual(small + 1);
    expect(cover(model, { t: 2, seeds: [[-1, 1, -1, 0, -1, -1, -1]] }).rows).toHaveLength(small);
  });

  it("keeps seeds apart that a rule keeps apart", () => {
    const model = modelOf([2, 2, 2, 2, 2, 2], { 0: [0], 3: [0] });
    const seeds = [
      [0, 0, 0, -1, -1, -1],
      [-1, -1, -1, 0, 0, 0],
    ];
    const { rows } = cover(model, { t: 2, seeds });
    for (const seed of seeds) expect(rows.some((row) => contains(row, seed))).toBe(true);
  });

  it("is as small beside what is forbidden in a roundabout way", () => {
    const { sizes, forbidden } = IMPLIED;
    const model = { sizes: [...sizes, ...Array.from({ length: 13 }, () => 3)], forbidden };
    expect(cover(model, { t: 2 }).rows.length).toBeLessThanOrEqual(17);
  });

  it("sees what follows from several rules together", () => {
    const { rows } = cover(IMPLIED, { t: 2 });
    expect(rows.every(([first]) => first === 1)).toBe(true);
    expect(verifyCoverage(IMPLIED, 2, rows)).toMatchObject({ forbidden: 6, missing: [] });
  });

  it("covers each value alone, and all of them together", () => {
    expect(cover(modelOf([2, 5, 3]), { t: 1 }).rows).toHaveLength(5);
    expect(cover(modelOf([2, 5, 3]), { t: 3 }).rows).toEqual(allowedRows(modelOf([2, 5, 3])));
  });

  it("leaves columns of one value out of account", () => {
    const model = modelOf([1, 3, 1, 3, 1], { 0: [0], 1: [0], 2: [0], 3: [0] });
    expect(cover(model, { t: 4 }).rows).toEqual(allowedRows(model));
    expect(cover(modelOf([1, 1]), { t: 2 }).rows).toEqual([[0, 0]]);
    expect(cover(modelOf([1, 1]), { t: 2, proven: [[0, 0]] })).toEqual({ rows: [], usedProven: [0] });
  });

  it("has no rows where the model has none", () => {
    expect(cover(modelOf([2, 2], { 0: [0, 1] }), { t: 2 })).toEqual({ rows: [], usedProven: [] });
    expect(cover(modelOf([2, 0]), { t: 1 }).rows).toEqual([]);
  });

  it("takes strengths from 1 to 6, and to the number of columns", () => {
    for (const t of [0, 7, 1.5, Number.NaN])
      expect(() => cover(modelOf(Array(8).fill(2)), { t })).toThrow(RangeError);
    expect(() => cover(modelOf([2, 2]), { t: 3 })).toThrow(RangeError);
  });

  it.each(PUBLISHED_SIZES.map((one) => [`${one.model}, t = ${one.t}`, one] as const))(
    "comes to no more rows than other tools: %s",
    (_, { t, sizes, forbidden, published }) => {
      const { rows } = cover({ sizes, forbidden }, { t });
      expect(verifyCoverage({ sizes, forbidden }, t, rows).missing).toEqual([]);
      const { PICT = Infinity, ACTS = Infinity, least } = published;
      expect(rows.length).toBeLessThanOrEqual(least ?? Math.min(PICT, ACTS));
      expect(rows.length).toBeGreaterThanOrEqual(least ?? 0);
    },
  );

  it("makes what it built smaller: as small as is known", () => {
    expect(cover(modelOf(Array(13).fill(3)), { t: 2 }).rows).toHaveLength(15);
    expect(cover(modelOf(Array(100).fill(2)), { t: 2 }).rows).toHaveLength(10);
  });

  it("does not look at the product: 30 columns of 50 values", () => {
    const sizes = Array.from({ length: 30 }, () => 50);
    const model = modelOf(sizes, ...Array.from({ length: 29 }, (_, at) => ({ [at]: [0, 1], [at + 1]: [3] })));
    const { rows } = cover(model, { t: 2 });
    const count = verifyCoverage(model, 2, rows);
    expect([count.covered, count.forbidden]).toEqual([tupleCount(sizes, 2) - 58, 58]);
  });
});

describe("verifyCoverage", () => {
  it("counts as one does by hand, whatever the rows", () => {
    fc.assert(
      fc.property(task, ({ model, t, whole, partials }) => {
        const columns = model.sizes.length;
        const allowed = allowedRows(model);
        const possible = tuplesOf(allowed, columns, t);
        const sound = whole.filter((row) => allowed.some((one) => contains(one, row)));
        const covered = tuplesOf(sound, columns, t);
        const open = partials.filter((row) => row.includes(-1));
        const count = verifyCoverage(model, t, [...whole, ...open]);
        expect(count).toMatchObject({
          t,
          allowed: possible.size,
          covered: covered.size,
          forbidden: tupleCount(model.sizes, t) - possible.size,
        });
        expect(count.missing).toHaveLength(Math.min(10, possible.size - covered.size));
        for (const { columns: set, values } of count.missing) {
          const text = set.map((column, at) => `${column}=${values[at]}`).join();
          expect(possible.has(text) && !covered.has(text)).toBe(true);
        }
      }),
    );
  });

  it("misses what a row that was taken out alone had", () => {
    const model = modelOf([3, 3, 3, 3]);
    const { rows } = cover(model, { t: 2 });
    expect(verifyCoverage(model, 2, rows)).toEqual({
      t: 2,
      allowed: 54,
      forbidden: 0,
      covered: 54,
      missing: [],
    });
    for (const gone of rows.keys()) {
      const { covered, missing } = verifyCoverage(
        model,
        2,
        rows.filter((_, at) => at !== gone),
      );
      expect(covered).toBe(48);
      expect(missing).toHaveLength(6);
      for (const { columns, values } of missing)
        expect(columns.map((column) => rows[gone]?.[column])).toEqual(values);
    }
  });

  it("counts nothing for a strength that there is not", () => {
    expect(verifyCoverage(modelOf([2, 2]), 3, [])).toMatchObject({ allowed: 0, covered: 0, forbidden: 0 });
  });
});

describe("tupleCount", () => {
  it("counts the combinations of t columns' values", () => {
    expect(tupleCount([10, 10, 10], 2)).toBe(300);
    expect(tupleCount([2, 3, 5], 1)).toBe(10);
    expect(tupleCount([2, 3, 5], 3)).toBe(30);
    expect(tupleCount([2, 3], 3)).toBe(0);
    expect(tupleCount(Array(20).fill(10), 2)).toBe(19_000);
  });
});
