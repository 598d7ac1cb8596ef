import { createDraw } from "./draw.ts";
import { createBuilder } from "./greedy.ts";
import type { Model, Row } from "../../solver/model.ts";
import { closeForbidden, closePlace, closeRow, openAll } from "./open.ts";
import { createPropagation } from "../../solver/propagation.ts";
import { type Held, reduce } from "./reduce.ts";
import { compileRules } from "../../solver/nogoods.ts";
import { createSolver, type Solver } from "../../solver/solver.ts";
import { MAX_STRENGTH, type Places, placesOf } from "./tuples.ts";

export { MAX_TUPLES, tupleCount } from "./tuples.ts";

export interface CoverOptions {
  /** How many columns are combined: 1 to 6, and no more than there are columns. */
  t: number;
  /** Partial rows, each of which some row has to contain. */
  seeds?: readonly Row[];
  /** Whole rows that exist already and cost nothing. One that the model forbids is ignored. */
  proven?: readonly Row[];
}

export interface Covering {
  /** New rows, sorted. */
  rows: number[][];
  /** Indexes of the proven rows that the coverage relies on, ascending: those that add to it, or that contain a seed. */
  usedProven: number[];
}

/** Seeds that no allowed row contains. The caller says where they come from. */
export class ImpossibleSeeds extends Error {
  /** Their indexes, ascending. */
  readonly seeds: readonly number[];

  constructor(seeds: readonly number[]) {
    super(`no allowed row contains these seeds: ${seeds.join(", ")}`);
    this.seeds = seeds;
  }
}

/** How many combinations may be looked at while rows are built: about 20 ms. */
const BUILD_EFFORT = 8_000_000;
/**
 * The same for reducing the rows: about 20 ms for pairs. It grows with the columns, since each step has more to look at;
 * beyond pairs, a smaller array saves more than the third of a second that it costs.
 */
const REDUCE_EFFORT = { pairs: 1_000_000, aSet: 1_000, beyond: 20_000_000 };
const MAX_TRIES = 4;
/** With more combinations than this in the rows, counting them once costs more than a reduction saves. */
const MAX_REDUCED = 4_000_000;

/** The model of some of its columns; the others have one value. */
function restrict({ sizes, forbidden }: Model, columns: readonly number[]): Model {
  const position = new Map(columns.map((column, at) => [column, at]));
  return {
    sizes: columns.map((column) => sizes[column]!),
    forbidden: forbidden.flatMap((nogood) => {
      const kept = nogood.columns.flatMap((column, at) => {
        const mask = nogood.values[at]!;
        const to = position.get(column);
        return to === undefined ? [] : [{ column: to, mask }];
      });
      const breakable = nogood.columns.every(
        (column, at) => position.has(column) || (nogood.values[at]![0] ?? 0) > 0,
      );
      return breakable
        ? [{ columns: kept.map(({ column }) => column), values: kept.map(({ mask }) => mask) }]
        : [];
    }),
  };
}

function triesFor({ t, sizes, sets }: Places): number {
  const largest = [...sizes].sort((a, b) => b - a).slice(0, t);
  const rows = 2 * largest.reduce((product, size) => product * size, 1);
  const width = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const aTry = 3 * sets * t * (t + width);
  return Math.min(MAX_TRIES, Math.max(1, Math.floor(BUILD_EFFORT / (rows * aTry))));
}

/** Whether two partial rows do not contradict each other. */
function agree(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let at = 0; at < a.length; at += 1) if (a[at] !== -1 && b[at] !== -1 && a[at] !== b[at]) return false;
  return true;
}

/** Partial rows that contain all seeds, merged first fit. */
function merge(seeds: readonly Row[], solver: Solver): number[][] {
  const merged: number[][] = [];
  for (const seed of seeds) {
    const home = merged.findIndex((one) => {
      if (!agree(one, seed)) return false;
      return solver.feasible(one.map((value, at) => (value === -1 ? seed[at]! : value)));
    });
    if (home < 0) merged.push([...seed]);
    else merged[home] = merged[home]!.map((value, at) => (value === -1 ? seed[at]! : value));
  }
  return merged;
}

/**
 * A covering array: allowed rows such that each combination of `t` columns' values that some allowed row has is in one of
 * these rows, or in a proven one. It is built row by row (`createBuilder`) and then reduced (`reduce`), with a fixed effort:
 * the same input gives the same rows. A model that allows no row has an empty array.
 * @throws RangeError for a `t` out of its range
 * @throws ImpossibleSeeds with all seeds that no allowed row has
 */
export function cover(model: Model, { t, seeds = [], proven = [] }: CoverOptions): Covering {
  const { sizes } = model;
  if (!Number.isInteger(t) || t < 1 || t > Math.min(MAX_STRENGTH, sizes.length))
    throw new RangeError(`t is ${t}, of ${sizes.length} columns`);
  const whole = createSolver(model);
  const impossible = seeds.flatMap((seed, at) => (whole.feasible(seed) ? [] : [at]));
  if (impossible.length > 0) throw new ImpossibleSeeds(impossible);
  if (!whole.feasible(sizes.map(() => -1))) return { rows: [], usedProven: [] };

  // A column with one value adds nothing to a combination.
  const varying = [...sizes.keys()].filter((column) => sizes[column]! > 1);
  const columns = varying.length > 0 ? varying : [0];
  const small = restrict(model, columns);
  const take = (row: Row) => columns.map((column) => row[column] ?? -1);
  const strength = Math.min(t, columns.length);
  const places = placesOf(small.sizes, strength);
  const open = openAll(places);
  const rules = compileRules(small);
  const propagation = createPropagation(rules);
  const solver = createSolver(small);
  const draw = createDraw();
  closeForbidden(open, rules, propagation);

  const used = new Set<number>();
  const usable = proven.flatMap((row, at) => {
    const sound = row.length === sizes.length && !row.includes(-1) && whole.allows(row);
    return sound ? [{ at, row: Int32Array.from(take(row)) }] : [];
  });
  for (const { at, row } of usable) if (closeRow(open, row) > 0) used.add(at);
  // What is as small as a combination is covered with the combinations.
  const larger = seeds.map(take).filter((seed) => seed.filter((value) => value !== -1).length > strength);
  const homeless = larger.filter((seed) => {
    const homes = usable.filter(({ row }) => agree(seed, row));
    const home = homes.find(({ at }) => used.has(at)) ?? homes[0];
    if (home) used.add(home.at);
    return !home;
  });

  const required = open.open.slice();
  const build = createBuilder({ open, rules, propagation, draw });
  const tries = triesFor(places);
  const held: Held[] = [];
  const keep = (row: Int32Array, lock: Uint8Array | null) => {
    closeRow(open, row);
    held.push({ row, lock });
  };
  for (const seed of merge(homeless, solver)) {
    const fixed = Int32Array.from(seed);
    const row = build(fixed, tries) ?? Int32Array.from(solver.complete(fixed)!);
    keep(
      row,
      Uint8Array.from(seed, (value) => (value === -1 ? 0 : 1)),
    );
  }
  const { sets, member, stride, offset } = places;
  const fixed = new Int32Array(columns.length);
  while (open.total > 0) {
    let set = 0;
    for (let one = 1; one < sets; one += 1) if (open.left[one]! > open.left[set]!) set = one;
    const span = offset[set + 1]! - offset[set]!;
    let code = draw(span);
    while (!open.open[offset[set]! + code]) code = (code + 1) % span;
    fixed.fill(-1);
    for (let at = set * strength, rest = code; at < (set + 1) * strength; at += 1) {
      fixed[member[at]!] = Math.floor(rest / stride[at]!);
      rest %= stride[at]!;
    }
    const vouched = rules.bound.includes(1) ? solver.complete(fixed) : null;
    if (rules.bound.includes(1) && !vouched) {
      required[offset[set]! + code] = 0;
      closePlace(open, set, offset[set]! + code);
      continue;
    }
    const row = build(fixed, tries) ?? Int32Array.from(vouched!);
    keep(row, null);
  }

  const free = !rules.bound.includes(1) && !rules.alive.includes(0);
  const rows =
    Math.max(places.total, held.length * sets) > MAX_REDUCED
      ? held.map(({ row }) => row)
      : reduce({
          places,
          rules,
          draw,
          required,
          rows: held,
          complete: free
            ? (partial, prefer) => partial.map((value, column) => (value === -1 ? prefer[column]! : value))
            : solver.complete,
          effort:
            strength > 2 ? REDUCE_EFFORT.beyond : Math.max(REDUCE_EFFORT.pairs, REDUCE_EFFORT.aSet * sets),
        });
  const distinct = new Map(rows.map((row) => [row.join(), row]));
  const full = [...distinct.values()].map((row) => {
    const values = sizes.map(() => 0);
    for (const [at, column] of columns.entries()) values[column] = row[at]!;
    return values;
  });
  full.sort((a, b) => {
    const at = a.findIndex((value, column) => value !== b[column]);
    return at < 0 ? 0 : a[at]! - b[at]!;
  });
  return { rows: full, usedProven: [...used].sort((a, b) => a - b) };
}
