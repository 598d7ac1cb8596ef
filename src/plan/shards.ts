import { listed, quoted } from "../model/visible.ts";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { PlannedCell } from "./cell.ts";

/** How a plan is split. Exactly one of `shards` and `maxJobs` is given. */
export type ShardOptions = {
  /** What tells kinds of runners of one platform apart, such as the pool. */
  runnerKey: (planned: PlannedCell) => string;
  /** How long the cell takes, in milliseconds; null where nobody knows. */
  durationOf: (planned: PlannedCell) => number | null;
} & (
  | {
      /** So many shards, whatever the number of cells. */
      shards: number;
    }
  | {
      /** One shard a cell, and at most so many. */
      maxJobs: number;
    }
);

/** What the shards will take, as far as durations are known. */
export interface ShardEstimate {
  /** No split into as many shards ends sooner: the slowest cell, or all work in equal parts. */
  floor_ms: number;
  /** The longest shard, its cells one after the other. */
  longest_ms: number;
  total_ms: number;
  /** The id of the slowest cell; null where there is no cell. */
  slowest: string | null;
  /** How many durations are known, of how many cells. */
  known: { durations: number; of: number };
}

/** The shards of a plan: shard K of N is `shards[K - 1]`. */
export interface Sharded {
  shards: PlannedCell[][];
  estimate: ShardEstimate;
}

/** One shard of several, as `3/16` says it: `index` counts from 1. */
export interface ShardChoice {
  index: number;
  count: number;
}

const MINUTE = 60_000;

/** More shards than any CI system has jobs. */
const MAX_SHARDS = 10_000;

/** The cells of one kind of runner, sorted so that those of a prefix family stand together. */
interface Lane {
  runner: string;
  cells: PlannedCell[];
  /** Ids of each cell's prefixes, the shortest first. */
  chains: string[][];
  /** Milliseconds of each cell: whole numbers from 1, so that sums do not depend on their order. */
  costs: number[];
  /** Sums of the costs before each place, and at last of all. */
  before: number[];
}

/** Neighbouring cells of a lane that go to one shard, and that have at least the first `depth` prefixes in common. */
interface Unit {
  from: number;
  to: number;
  depth: number;
  cost: number;
}

/** A shard that is being filled. */
interface Bin {
  at: number;
  cost: number;
  units: Unit[];
}

/** A queue that gives what comes first, in O(log n). */
function queueOf<T>(before: (a: T, b: T) => boolean) {
  const heap: T[] = [];
  const swapIfBefore = (low: number, high: number): boolean => {
    const [a, b] = [heap[low] as T, heap[high] as T];
    if (!before(b, a)) return false;
    heap[low] = b;
    heap[high] = a;
    return true;
  };
  return {
    push(item: T): void {
      let at = heap.push(item) - 1;
      while (at > 0 && swapIfBefore((at - 1) >> 1, at)) at = (at - 1) >> 1;
    },
    pop(): T | undefined {
      const first = heap[0];
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return first;
      heap[0] = last;
      for (let at = 0; ;) {
        let child = 2 * at + 1;
        if (child + 1 < heap.length && before(heap[child + 1] as T, heap[child] as T)) child += 1;
        if (child >= heap.length || !swapIfBefore(at, child)) return first;
        at = child;
      }
    },
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return high === undefined ? undefined : Math.round((low + high) / 2);
}

/** What each cell costs: its duration, else the median of its platform, else that of all, else a minute. */
function costsOf(cells: readonly PlannedCell[], durationOf: ShardOptions["durationOf"]) {
  const durations = cells.map((planned) => {
    const duration = durationOf(planned);
    return duration !== null && Number.isFinite(duration) && duration >= 0
      ? Math.max(1, Math.round(duration))
      : null;
  });
  const known = durations.filter((duration) => duration !== null);
  const byPlatform = new Map<string, number[]>();
  for (const [at, { cell }] of cells.entries()) {
    const duration = durations[at] ?? null;
    const list = byPlatform.get(cell.platform) ?? [];
    byPlatform.set(cell.platform, list);
    if (duration !== null) list.push(duration);
  }
  const otherwise = median(known) ?? MINUTE;
  const usual = new Map([...byPlatform].map(([platform, list]) => [platform, median(list) ?? otherwise]));
  return {
    known: known.length,
    costs: cells.map(({ cell }, at) => durations[at] ?? usual.get(cell.platform) ?? otherwise),
  };
}

/** The cells by kind of runner; sorted by prefixes, then by id, whatever order they came in. */
function lanesOf(cells: readonly PlannedCell[], options: ShardOptions): { lanes: Lane[]; known: number } {
  const keyed = cells.map((planned) => {
    const { platform, cell_id } = planned.cell;
    const chain = planned.keys.prefixes.map(({ id }) => id);
    const path = chain.map((id) => `${id}\u0001`).join("");
    const runner = `${platform} (${options.runnerKey(planned)})`;
    return { planned, runner, chain, key: `${path}\u0000${cell_id}` };
  });
  keyed.sort((a, b) => compareText(a.runner, b.runner) || compareText(a.key, b.key));
  const { costs, known } = costsOf(
    keyed.map(({ planned }) => planned),
    options.durationOf,
  );
  const lanes: Lane[] = [];
  for (const [at, { planned, runner, chain }] of keyed.entries()) {
    let lane = lanes.at(-1);
    if (lane?.runner !== runner)
      lanes.push((lane = { runner, cells: [], chains: [], costs: [], before: [0] }));
    const cost = costs[at] ?? MINUTE;
    lane.cells.push(planned);
    lane.chains.push(chain);
    lane.costs.push(cost);
    lane.before.push((lane.before.at(-1) ?? 0) + cost);
  }
  return { lanes, known };
}

function unitOf({ before }: Lane, from: number, to: number, depth: number): Unit {
  return { from, to, depth, cost: (before[to] ?? 0) - (before[from] ?? 0) };
}

/** The next smaller families within a unit; cells whose chain ends here stand alone. Gives a single cell as it is. */
function partsOf(lane: Lane, unit: Unit): Unit[] {
  for (let { depth } = unit; unit.to - unit.from > 1; depth += 1) {
    const parts: Unit[] = [];
    for (let from = unit.from; from < unit.to;) {
      const id = lane.chains[from]?.[depth];
      let to = from + 1;
      if (id !== undefined) while (to < unit.to && lane.chains[to]?.[depth] === id) to += 1;
      parts.push(unitOf(lane, from, to, depth + 1));
      from = to;
    }
    if (parts.length > 1) return parts;
  }
  return [unit];
}

/**
 * Spreads the cells of a lane over shards: longest processing time first (Graham 1969) over prefix families in place of
 * cells. A family that costs more than its fair share, or that fits into no shard within the fair share and the slowest
 * cell, is taken apart into the next smaller families. Each unit goes to the least filled shard, which holds at most the
 * fair share of what was placed; so no shard costs more than the fair share and the slowest cell together.
 */
function fill(lane: Lane, count: number): Bin[] {
  const all = unitOf(lane, 0, lane.cells.length, 0);
  const fair = all.cost / count;
  const most = fair + lane.costs.reduce((slowest, cost) => Math.max(slowest, cost), 0);
  const units = queueOf<Unit>((a, b) => a.cost > b.cost || (a.cost === b.cost && a.from < b.from));
  const bins = queueOf<Bin>((a, b) => a.cost < b.cost || (a.cost === b.cost && a.at < b.at));
  const filled = Array.from({ length: count }, (_, at): Bin => ({ at, cost: 0, units: [] }));
  for (const bin of filled) bins.push(bin);
  for (const part of partsOf(lane, all)) units.push(part);
  for (let unit = units.pop(); unit; unit = units.pop()) {
    const bin = bins.pop() as Bin;
    if (unit.to - unit.from > 1 && (unit.cost > fair || bin.cost + unit.cost > most)) {
      for (const part of partsOf(lane, unit)) units.push(part);
    } else {
      bin.units.push(unit);
      bin.cost += unit.cost;
    }
    bins.push(bin);
  }
  return filled;
}

/**
 * Shares of `count` shards in proportion to work, by the largest remainder. Each lane gets at least one, and at most
 * as many as it has cells.
 * @param count at least as many as lanes, and at most as many as cells
 */
function sharesOf(lanes: readonly Lane[], count: number): number[] {
  const works = lanes.map(({ before }) => before.at(-1) ?? 0);
  const total = works.reduce((sum, work) => sum + work, 0);
  const quotas = works.map((work) => (count * work) / total);
  const shares = quotas.map((quota, at) =>
    Math.min(Math.max(Math.floor(quota), 1), lanes[at]?.cells.length ?? 1),
  );
  const owed = (at: number) => (quotas[at] ?? 0) - (shares[at] ?? 0);
  /** The lane that is owed most, or least, among those that may have one more, or one less. */
  const pick = (sign: 1 | -1, may: (at: number) => boolean): number =>
    lanes.reduce(
      (best, _, at) => (may(at) && (best < 0 || sign * (owed(at) - owed(best)) > 0) ? at : best),
      -1,
    );
  for (
    let left = count - shares.reduce((sum, share) => sum + share, 0);
    left !== 0;
    left -= Math.sign(left)
  ) {
    const sign = left > 0 ? 1 : -1;
    const at = pick(sign, (one) =>
      sign > 0 ? (shares[one] ?? 0) < (lanes[one]?.cells.length ?? 0) : (shares[one] ?? 0) > 1,
    );
    shares[at] = (shares[at] ?? 0) + sign;
  }
  return shares;
}

/** The places of units in the order in which they are built: at each depth the family with the longest cell first. */
function orderWithin({ costs, chains }: Lane, units: readonly Unit[]): number[] {
  const costAt = (place: number | undefined) => costs[place ?? -1] ?? 0;
  /** Sorted places in, the longest cell first out. */
  const order = (places: readonly number[], depth: number): number[] => {
    if (places.length < 2) return [...places];
    const families = new Map<string, number[]>();
    for (const place of places) {
      const id = chains[place]?.[depth] ?? `\u0000${place}`;
      const family = families.get(id);
      if (family) family.push(place);
      else families.set(id, [place]);
    }
    return [...families.values()]
      .map((family) => order(family, depth + 1))
      .sort((a, b) => costAt(b[0]) - costAt(a[0]))
      .flat();
  };
  const places = units.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));
  return order(
    places.sort((a, b) => a - b),
    0,
  );
}

/** A shard with what its cells cost. */
interface Shard {
  cells: PlannedCell[];
  cost: number;
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_SHARDS) return count;
  throw new FactoryError("USAGE", `a plan cannot be split into ${count} shards`, {
    fix: `ask for 1 to ${MAX_SHARDS} shards`,
  });
}

function shardsOf(lanes: readonly Lane[], cells: number, count: number): Shard[] {
  if (count >= cells) {
    return lanes.flatMap((lane) =>
      lane.cells.map((planned, at) => ({ cells: [planned], cost: lane.costs[at] ?? 0 })),
    );
  }
  if (count < lanes.length) {
    const shards = count === 1 ? "1 shard" : `${count} shards`;
    throw new FactoryError(
      "SHARDS_TOO_FEW",
      `${shards} cannot hold cells for ${lanes.length} kinds of runners: ${listed(lanes.map(({ runner }) => runner))}`,
      { fix: `ask for at least ${lanes.length} shards` },
    );
  }
  const shares = sharesOf(lanes, count);
  return lanes.flatMap((lane, at) =>
    fill(lane, shares[at] ?? 1).map(({ units, cost }) => ({
      cells: orderWithin(lane, units).flatMap((place) => lane.cells[place] ?? []),
      cost,
    })),
  );
}

/**
 * Splits a plan into shards: each for one platform and one kind of runner, cells that share prefixes together, the
 * longest shard first, empty ones last. In a shard the cells of a family stand together, and of families, as of the
 * families and cells within one, that with the longest cell comes first. A pure function of the cells and their
 * durations, whatever their order, so that another machine comes to the same shard K of N.
 * @throws FactoryError SHARDS_TOO_FEW where there are more kinds of runners than shards; USAGE for a number of shards
 * that is none
 */
export function shard(cells: readonly PlannedCell[], options: ShardOptions): Sharded {
  const count =
    "shards" in options ? checkCount(options.shards) : Math.min(checkCount(options.maxJobs), cells.length);
  const { lanes, known } = lanesOf(cells, options);
  const shards = shardsOf(lanes, cells.length, count).sort((a, b) => b.cost - a.cost);
  const [longest_ms = 0] = shards.map(({ cost }) => cost);
  const total_ms = shards.reduce((sum, { cost }) => sum + cost, 0);
  let slowest: { id: string; cost: number } | null = null;
  for (const lane of lanes) {
    for (const [at, { cell }] of lane.cells.entries()) {
      const cost = lane.costs[at] ?? 0;
      if (slowest === null || cost > slowest.cost || (cost === slowest.cost && cell.cell_id < slowest.id))
        slowest = { id: cell.cell_id, cost };
    }
  }
  return {
    shards: Array.from({ length: count }, (_, at) => shards[at]?.cells ?? []),
    estimate: {
      floor_ms: Math.max(slowest?.cost ?? 0, Math.ceil(total_ms / Math.max(count, 1))),
      longest_ms,
      total_ms,
      slowest: slowest?.id ?? null,
      known: { durations: known, of: cells.length },
    },
  };
}

/**
 * The shard that `--shard 3/16` names.
 * @throws FactoryError USAGE
 */
export function parseShard(text: string): ShardChoice {
  const refuse = (what: string, fix: string) => new FactoryError("USAGE", what, { fix });
  const [, first, second] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (first === undefined || second === undefined) {
    throw refuse(`${quoted(text)} names no shard`, "write K/N, such as 3/16 for the third of sixteen shards");
  }
  const [index, count] = [Number(first), Number(second)];
  if (count < 1 || count > MAX_SHARDS)
    throw refuse(`${quoted(text)}: a plan cannot be split into ${count} shards`, `N is 1 to ${MAX_SHARDS}`);
  if (index < 1) throw refuse(`${quoted(text)}: shards are counted from 1`, `the first is 1/${count}`);
  if (index > count)
    throw refuse(`${quoted(text)}: there are only ${count} shards`, `the last is ${count}/${count}`);
  return { index, count };
}
