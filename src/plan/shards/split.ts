import type { OpenCatalog } from "../../catalog/open.ts";
import { FactoryError } from "../../errors.ts";
import { digestOf } from "../../model/digest.ts";
import { isDone, type Planned, type PlannedCell } from "../cell.ts";
import { above } from "../topology.ts";
import type { Attempts } from "../decide/attempts.ts";
import { poolOf, runnerKey } from "../pools.ts";
import { parseShard } from "./choice.ts";
import { shard, type Sharded } from "./shard.ts";

/** The shards of a plan, with a fingerprint of the split. */
export interface ShardedPlan extends Sharded {
  /** 12 hex digits: a hash of which cells are in which shard. */
  fingerprint: string;
}

/** What a split needs beside the plan. */
export interface SplitDeps {
  catalog: OpenCatalog;
  /** What the records of some manifests say: they tell how long a cell takes. */
  attempts: (manifestIds: readonly string[]) => Promise<Attempts>;
}

/**
 * Splits a plan by platform, pool, shared prefixes and the durations in the records.
 * @param by `shards` or `maxJobs`, as `shard` takes them
 * @throws FactoryError as shard and poolOf
 */
export async function splitPlan(
  planned: Planned,
  by: { shards: number } | { maxJobs: number },
  deps: SplitDeps,
): Promise<ShardedPlan> {
  const manifestIds = [...new Set(planned.cells.map(({ cell }) => cell.manifest_id))];
  const attempts = await deps.attempts(manifestIds);
  const poolFor = poolOf(deps.catalog);
  const durationOf = ({ cell }: PlannedCell) =>
    attempts.ofCell(cell.manifest_id, cell.cell_id).find(({ status }) => status === "pass")?.duration_ms ??
    null;
  const sharded = shard(planned.cells, {
    ...by,
    durationOf,
    isProven: ({ cell }) =>
      isDone(cell) &&
      attempts
        .ofCell(cell.manifest_id, cell.cell_id)
        .some((one) => one.record_id === cell.record_id && one.pushed),
    runnerKey: ({ cell, keys }) => runnerKey(poolFor(cell.platform, keys.gpus), keys.gpus),
  });
  const ids = sharded.shards.map((cells) => cells.map(({ cell }) => cell.cell_id));
  return { ...sharded, fingerprint: digestOf(ids).slice("sha256:".length, "sha256:".length + 12) };
}

/**
 * The cells of one shard. A shard that names the fingerprint of its split is refused if the plan is split in another way
 * here: a cell could be missed.
 * @param text `3/16`, or `3/16@1a2b3c4d5e6f`
 * @throws FactoryError USAGE, SHARD_MOVED
 */
export async function takeShard(planned: Planned, text: string, deps: SplitDeps): Promise<Planned> {
  const [, numbers = text, wanted] = /^(.*)@([a-f0-9]{12})$/.exec(text) ?? [];
  const { index, count } = parseShard(numbers);
  const { shards, fingerprint } = await splitPlan(planned, { shards: count }, deps);
  if (wanted !== undefined && wanted !== fingerprint) {
    throw new FactoryError(
      "SHARD_MOVED",
      `the plan is split in another way than when shard ${numbers} was handed out (${fingerprint}, not ${wanted})`,
      { fix: "plan again, with the same records, factory.lock and options as the run" },
    );
  }
  const own = shards[index - 1] ?? [];
  // What they start from is proven, or in the same shard.
  return { ...planned, cells: [...above(own, planned.cells), ...own] };
}

/** As takeShard; undefined if the plan is split in another way. */
export async function tryShard(
  planned: Planned,
  text: string,
  deps: SplitDeps,
): Promise<Planned | undefined> {
  try {
    return await takeShard(planned, text, deps);
  } catch (error) {
    if (error instanceof FactoryError && error.code === "SHARD_MOVED") return undefined;
    throw error;
  }
}
