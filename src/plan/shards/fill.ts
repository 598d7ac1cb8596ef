import type { Lane } from "./lanes.ts";
import { queueOf } from "./queue.ts";

/** Neighbouring groups of a lane that go to one shard and have at least the first `depth` prefixes in common. */
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

function unitOf({ before }: Lane, from: number, to: number, depth: number): Unit {
  return { from, to, depth, cost: (before[to] ?? 0) - (before[from] ?? 0) };
}

/** The next smaller families within a unit; a cell whose chain ends here is a unit of its own. A single cell stays as it is. */
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
 * Spreads the cells of a lane over shards: longest processing time first (Graham 1969), applied to prefix families instead
 * of cells. A family that costs more than its fair share, or that fits into no shard within the fair share and the slowest
 * cell, is split into the next smaller families. Each unit goes to the least filled shard, which has at most the fair
 * share of what was placed; so no shard costs more than the fair share and the slowest cell together.
 */
export function fill(lane: Lane, count: number): Bin[] {
  const all = unitOf(lane, 0, lane.groups.length, 0);
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
export function sharesOf(lanes: readonly Lane[], count: number): number[] {
  const works = lanes.map(({ before }) => before.at(-1) ?? 0);
  const total = works.reduce((sum, work) => sum + work, 0);
  const quotas = works.map((work) => (count * work) / total);
  const shares = quotas.map((quota, at) =>
    Math.min(Math.max(Math.floor(quota), 1), lanes[at]?.groups.length ?? 1),
  );
  const owed = (at: number) => (quotas[at] ?? 0) - (shares[at] ?? 0);
  /** The lane that is owed most (or least), among those that may get one more (or one less). */
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
      sign > 0 ? (shares[one] ?? 0) < (lanes[one]?.groups.length ?? 0) : (shares[one] ?? 0) > 1,
    );
    shares[at] = (shares[at] ?? 0) + sign;
  }
  return shares;
}

/** The places of units in the order in which they are built: at each depth the family with the longest cell first. */
export function orderWithin({ costs, chains }: Lane, units: readonly Unit[]): number[] {
  const costAt = (place: number | undefined) => costs[place ?? -1] ?? 0;
  /** Merges sorted places so that the longest cell comes first. */
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
