import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explainEmpty } from "../../src/solver/explain.ts";
import { createSolver, enumerate } from "../../src/solver/solver.ts";
import {
  allowedRows,
  breaks,
  contains,
  IMPLIED,
  modelOf,
  partialOf,
  smallModel,
} from "./plan-cover-models.ts";

const withPartials = smallModel.chain((model) =>
  fc.record({
    model: fc.constant(model),
    partial: partialOf(model.sizes),
    prefer: partialOf(model.sizes),
  }),
);

describe("createSolver", () => {
  it("completes a row where the product has one, and only there", () => {
    fc.assert(
      fc.property(withPartials, ({ model, partial, prefer }) => {
        const solver = createSolver(model);
        const wanted = allowedRows(model).filter((row) => contains(row, partial));
        const found = solver.complete(partial, prefer);
        expect(solver.feasible(partial)).toBe(wanted.length > 0);
        if (found) expect(wanted).toContainEqual(found);
        else expect(wanted).toEqual([]);
      }),
    );
  });

  it("gives the same answer however often and in whatever order it is asked", () => {
    fc.assert(
      fc.property(withPartials, ({ model, partial, prefer }) => {
        const solver = createSolver(model);
        const first = solver.complete(partial);
        solver.complete(prefer, partial);
        solver.feasible(prefer);
        expect(solver.complete(partial)).toEqual(first);
        expect(createSolver(model).complete(partial)).toEqual(first);
      }),
    );
  });

  it("allows whole rows as the rules do, and of partial ones refuses none that has an allowed row", () => {
    fc.assert(
      fc.property(withPartials, ({ model, partial }) => {
        const solver = createSolver(model);
        const allowed = allowedRows(model);
        for (const row of allowed) expect(solver.allows(row)).toBe(true);
        const broken = model.forbidden.some((one) => breaks(partial, one));
        if (broken) expect(solver.allows(partial)).toBe(false);
        if (allowed.some((row) => contains(row, partial))) expect(solver.allows(partial)).toBe(true);
      }),
    );
  });

  it("takes the wanted values where nothing stands against them", () => {
    const solver = createSolver(modelOf([3, 3, 3], { 0: [2], 1: [2] }));
    expect(solver.complete([-1, -1, -1], [1, 2, 2])).toEqual([1, 2, 2]);
    expect(solver.complete([2, -1, -1], [1, 2, 2])).toEqual([2, 0, 2]);
    expect(solver.complete([-1, -1, -1])).toEqual([0, 0, 0]);
  });

  it("refuses what breaks a rule whatever comes", () => {
    const solver = createSolver(modelOf([2, 3], { 0: [0], 1: [0, 1, 2] }));
    expect(solver.allows([0, -1])).toBe(false);
    expect(solver.allows([1, -1])).toBe(true);
  });

  it("refuses values that a column does not have, and rows of another length", () => {
    const solver = createSolver(modelOf([2, 2]));
    expect(solver.allows([0, 2])).toBe(false);
    expect(solver.allows([0, -2])).toBe(false);
    expect(solver.allows([0])).toBe(false);
    expect(solver.complete([0, 2])).toBeNull();
    expect(solver.feasible([-2, 0])).toBe(false);
  });

  it("sees what follows from several rules together", () => {
    const solver = createSolver(IMPLIED);
    expect(solver.allows([0, -1, -1, -1])).toBe(true);
    expect(solver.feasible([0, -1, -1, -1])).toBe(false);
    expect(solver.feasible([1, 0, 0, 0])).toBe(true);
  });

  it("has two conditions on one column hold together", () => {
    const twice = { columns: [0, 0], values: [Uint8Array.of(1, 1, 0), Uint8Array.of(0, 1, 1)] };
    const solver = createSolver({ sizes: [3], forbidden: [twice] });
    expect([0, 1, 2].map((value) => solver.allows([value]))).toEqual([true, false, true]);
  });

  it("answers at once among thousands of pair rules", () => {
    const sizes = Array.from({ length: 20 }, () => 12);
    const rules = Array.from({ length: 5_000 }, (_, at) => ({
      [at % 20]: [(at * 7) % 12],
      [(at + 1 + (at % 18)) % 20]: [(at * 5 + 3) % 12],
    })).filter((rule) => Object.keys(rule).length === 2);
    const model = modelOf(sizes, ...rules);
    const solver = createSolver(model);
    const row = solver.complete(sizes.map(() => -1));
    expect(row && model.forbidden.some((one) => breaks(row, one))).toBe(false);
  });
});

describe("enumerate", () => {
  it("is the product without what the rules forbid, in its order", () => {
    fc.assert(
      fc.property(smallModel, (model) => {
        expect([...enumerate(model)]).toEqual(allowedRows(model));
      }),
    );
  });

  it("gives rows of its own", () => {
    const rows = [...enumerate(modelOf([2, 2]))];
    rows[0]?.fill(9);
    expect(rows).toEqual([
      [9, 9],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });

  it("begins with a huge product at once, and leaves a beginning that no row has", () => {
    const sizes = [2, ...Array.from({ length: 30 }, () => 40), 2, 2, 2];
    const last = sizes.length - 1;
    const three = [last - 2, last - 1, last];
    const differ = [0, 1].flatMap((value) =>
      three.map((column) => ({
        0: [0],
        [column]: [value],
        [column === last ? last - 2 : column + 1]: [value],
      })),
    );
    const first = enumerate(modelOf(sizes, ...differ)).next().value;
    expect(first).toEqual([1, ...sizes.slice(1).map(() => 0)]);
  });

  it("knows no columns, no values and a rule that all break", () => {
    expect([...enumerate(modelOf([]))]).toEqual([[]]);
    expect([...enumerate(modelOf([2, 0]))]).toEqual([]);
    expect([...enumerate({ sizes: [2], forbidden: [{ columns: [], values: [] }] })]).toEqual([]);
  });
});

describe("explainEmpty", () => {
  it("names rules that leave no row, none of which could be spared; nothing where a row is left", () => {
    fc.assert(
      fc.property(smallModel, (model) => {
        const guilty = explainEmpty(model);
        if (allowedRows(model).length > 0) {
          expect(guilty).toBeUndefined();
          return;
        }
        const of = (kept: readonly number[]) => ({
          sizes: model.sizes,
          forbidden: kept.flatMap((at) => model.forbidden[at] ?? []),
        });
        expect(guilty).toBeDefined();
        const indexes = guilty ?? [];
        expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
        expect(allowedRows(of(indexes))).toEqual([]);
        for (const spared of indexes)
          expect(allowedRows(of(indexes.filter((at) => at !== spared))).length).toBeGreaterThan(0);
      }),
    );
  });

  it("finds two that contradict each other among others", () => {
    const noise = Array.from({ length: 40 }, (_, at) => ({ 1: [at % 3], 2: [(at * 2) % 3] }));
    const model = modelOf([2, 4, 4], ...noise.slice(0, 13), { 0: [0] }, ...noise.slice(13), { 0: [1] });
    expect(explainEmpty(model)).toEqual([13, 41]);
  });

  it("needs no rule where a column has no values", () => {
    expect(explainEmpty(modelOf([2, 0], { 0: [1] }))).toEqual([]);
  });
});
