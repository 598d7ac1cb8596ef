import { listed } from "../../model/visible.ts";
import { FactoryError } from "../../errors.ts";
import type { PlannedCell } from "../cell.ts";
import { groupsOf } from "./groups.ts";
import { fill, orderWithin, sharesOf } from "./fill.ts";
import { type Lane, lanesOf, type ShardOptions } from "./lanes.ts";

/** How long the shards will take, as far as durations are known. */
export interface ShardEstimate {
  /** A lower bound for any split into as many shards: the slowest cell or group, or all work in equal parts. */
  floor_ms: number;
  /** The longest shard, if its cells run one after the other. */
  longest_ms: number;
  total_ms: number;
  /** The id of the slowest cell, or of one in the slowest group; null if there is no cell. */
  slowest: string | null;
  /** How many durations are known, of how many cells. */
  known: { durations: number; of: number };
}

/** The shards of a plan: shard K of N is `shards[K - 1]`. */
export interface Sharded {
  shards: PlannedCell[][];
  estimate: ShardEstimate;
}

/** More shards than any CI system takes jobs. */
export const MAX_SHARDS = 10_000;

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

function shardsOf(lanes: readonly Lane[], groups: number, count: number): Shard[] {
  if (count >= groups) {
    return lanes.flatMap((lane) =>
      lane.groups.map(({ cells }, at) => ({ cells: [...cells], cost: lane.costs[at] ?? 0 })),
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
      cells: orderWithin(lane, units).flatMap((place) => lane.groups[place]?.cells ?? []),
      cost,
    })),
  );
}

/**
 * Splits a plan into shards: each for one platform and one kind of runner, cells that start from each other in one shard
 * (unless what they start from is proven and pushed), cells that share prefixes together, the longest shard first, empty
 * ones last. In a shard the cells of a family are together, and the family with the longest
 * cell comes first; so it is within each family. A pure function of the cells and their durations, whatever their order,
 * so that another machine gets the same shard K of N.
 * @throws FactoryError SHARDS_TOO_FEW if there are more kinds of runners than shards; USAGE for an impossible number of
 * shards
 */
export function shard(cells: readonly PlannedCell[], options: ShardOptions): Sharded {
  const groups = groupsOf(cells, options.isProven);
  const count =
    "shards" in options ? checkCount(options.shards) : Math.min(checkCount(options.maxJobs), groups.length);
  const { lanes, known } = lanesOf(cells, groups, options);
  const shards = shardsOf(lanes, groups.length, count).sort((a, b) => b.cost - a.cost);
  const [longest_ms = 0] = shards.map(({ cost }) => cost);
  const total_ms = shards.reduce((sum, { cost }) => sum + cost, 0);
  let slowest: { id: string; cost: number } | null = null;
  for (const lane of lanes) {
    for (const [at, { chief }] of lane.groups.entries()) {
      const { cell } = chief;
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
