import fc from "fast-check";
import type { Model, Nogood } from "../../src/solver/model.ts";

/** A rule by what it forbids: for each column the values. */
function nogood(sizes: readonly number[], forbids: Record<number, readonly number[]>): Nogood {
  const columns = Object.keys(forbids).map(Number);
  const values = columns.map((column) =>
    Uint8Array.from({ length: sizes[column] ?? 0 }, (_, value) => (forbids[column]?.includes(value) ? 1 : 0)),
  );
  return { columns, values };
}

export function modelOf(sizes: readonly number[], ...forbids: Record<number, readonly number[]>[]): Model {
  return { sizes, forbidden: forbids.map((one) => nogood(sizes, one)) };
}

/** Each row of the product, in lexicographic order. */
function product(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (rows, size) => rows.flatMap((row) => Array.from({ length: size }, (_, value) => [...row, value])),
    [[]],
  );
}

/** Whether a row has all that a rule forbids together; an open place has nothing. */
export function breaks(row: readonly number[], { columns, values }: Nogood): boolean {
  return columns.every((column, at) => values[at]?.[row[column] ?? -1] === 1);
}

export function allowedRows({ sizes, forbidden }: Model): number[][] {
  return product(sizes).filter((row) => !forbidden.some((one) => breaks(row, one)));
}

function choices(columns: number, t: number, from = 0): number[][] {
  if (t === 0) return [[]];
  return Array.from({ length: Math.max(0, columns - from) }, (_, at) => from + at).flatMap((first) =>
    choices(columns, t - 1, first + 1).map((rest) => [first, ...rest]),
  );
}

/** The combinations of `t` columns' values that stand in rows, as texts. */
export function tuplesOf(rows: readonly (readonly number[])[], columns: number, t: number): Set<string> {
  const sets = choices(columns, t);
  return new Set(
    rows.flatMap((row) => sets.map((set) => set.map((column) => `${column}=${row[column]}`).join())),
  );
}

/** Whether a row has all that stands in a partial one. */
export function contains(row: readonly number[], partial: readonly number[]): boolean {
  return partial.every((value, column) => value === -1 || value === row[column]);
}

const maskOf = (size: number) =>
  fc.array(fc.constantFrom(0, 1), { minLength: size, maxLength: size }).map((bits) => Uint8Array.from(bits));

function nogoodFor(sizes: readonly number[], least: number): fc.Arbitrary<Nogood> {
  const indexes = [...sizes.keys()];
  const [minLength, maxLength] = [Math.min(least, sizes.length), Math.min(4, sizes.length)];
  return fc
    .subarray(indexes, { minLength, maxLength })
    .chain((columns) =>
      fc
        .tuple(...columns.map((column) => maskOf(sizes[column] ?? 0)))
        .map((values): Nogood => ({ columns, values })),
    );
}

/** Small enough for the product to be looked at: up to 6 columns of up to 4 values, some of one value. */
export const smallModel: fc.Arbitrary<Model> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 })
  .filter((sizes) => sizes.reduce((total, size) => total * size, 1) <= 600)
  .chain((sizes) => {
    const rule = fc.oneof(
      { weight: 8, arbitrary: nogoodFor(sizes, 2) },
      { weight: 1, arbitrary: nogoodFor(sizes, 1) },
    );
    return fc.record({ sizes: fc.constant(sizes), forbidden: fc.array(rule, { maxLength: 8 }) });
  });

/** A row with open places. */
export function partialOf(sizes: readonly number[]): fc.Arbitrary<number[]> {
  return fc.tuple(...sizes.map((size) => fc.integer({ min: -1, max: size - 1 }))).map((row) => [...row]);
}

/** Three columns of two values that all have to differ where the first column is 0: propagation alone does not see it. */
export const IMPLIED: Model = modelOf(
  [2, 2, 2, 2],
  ...[0, 1].flatMap((value): Record<number, readonly number[]>[] => [
    { 0: [0], 1: [value], 2: [value] },
    { 0: [0], 2: [value], 3: [value] },
    { 0: [0], 1: [value], 3: [value] },
  ]),
);
