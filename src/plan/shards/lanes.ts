import { compareText } from "../../model/compare.ts";
import type { PlannedCell } from "../cell.ts";
import type { Group } from "./groups.ts";

/** How a plan is split. Exactly one of `shards` and `maxJobs` is given. */
export type ShardOptions = {
  /** A name for the kind of runner, among those of one platform; such as the pool. */
  runnerKey: (planned: PlannedCell) => string;
  /** How long the cell takes, in milliseconds; null if that is not known. */
  durationOf: (planned: PlannedCell) => number | null;
  /** Whether the image of a cell is proven and pushed, so that any shard can start from it. Default: of none. */
  isProven?: (planned: PlannedCell) => boolean;
} & (
  | {
      /** The number of shards, whatever the number of cells. */
      shards: number;
    }
  | {
      /** One shard per cell, or per group of cells that start from each other, but at most this many. */
      maxJobs: number;
    }
);

const MINUTE = 60_000;

/** The groups of one kind of runner, sorted so that those of a prefix family are together. Most groups are one cell. */
export interface Lane {
  runner: string;
  groups: Group[];
  /** Ids of the prefixes of each group's chief, the shortest first. */
  chains: string[][];
  /** Milliseconds of each group: whole numbers from 1, so that sums do not depend on their order. */
  costs: number[];
  /** The sum of the costs before each place, and at the end of all. */
  before: number[];
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return high === undefined ? undefined : Math.round((low + high) / 2);
}

/** The cost of each cell: its duration, else the median of its platform, else that of all, else a minute. */
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

/** The groups by kind of runner, sorted by prefixes and then by id, so that the given order of the cells does not matter. */
export function lanesOf(
  cells: readonly PlannedCell[],
  groups: readonly Group[],
  options: ShardOptions,
): { lanes: Lane[]; known: number } {
  const { costs, known } = costsOf(cells, options.durationOf);
  const costOf = new Map(cells.map((planned, at) => [planned, costs[at] ?? MINUTE]));
  const keyed = groups.map((group) => {
    const { cell, keys } = group.chief;
    const chain = keys.prefixes.map(({ id }) => id);
    const path = chain.map((id) => `${id}\u0001`).join("");
    const runner = `${cell.platform} (${options.runnerKey(group.chief)})`;
    return { group, runner, chain, key: `${path}\u0000${cell.cell_id}` };
  });
  keyed.sort((a, b) => compareText(a.runner, b.runner) || compareText(a.key, b.key));
  const lanes: Lane[] = [];
  for (const { group, runner, chain } of keyed) {
    let lane = lanes.at(-1);
    if (lane?.runner !== runner)
      lanes.push((lane = { runner, groups: [], chains: [], costs: [], before: [0] }));
    const cost = group.cells.reduce((sum, planned) => sum + (costOf.get(planned) ?? MINUTE), 0);
    lane.groups.push(group);
    lane.chains.push(chain);
    lane.costs.push(cost);
    lane.before.push((lane.before.at(-1) ?? 0) + cost);
  }
  return { lanes, known };
}
