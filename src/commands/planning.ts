import type { BaseResolution } from "../builder/base.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { digestOf } from "../model/digest.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import { planCells } from "../plan/planner.ts";
import type { Sharded } from "../plan/shards.ts";
import type { PlanRequest } from "../plan/space.ts";
import type { Context } from "./context.ts";

/** What the command line says of which cells are meant, and what is to be asked about them. */
export interface PlanningOptions {
  planId?: string;
  manifestId?: string;
  /** Every plan of the workspace. */
  all?: boolean;
  /** `manifest=ID` or `product=ID`, for every plan. */
  filter?: string[];
  locked?: boolean;
  reuse?: boolean;
  force?: boolean;
  since?: string;
  /** A file with a changed path a line; `-` for stdin. */
  changedFilesFrom?: string;
  cell?: string[];
  /** An image that was never pushed is not enough. */
  needPushed?: boolean;
}

/** The manifests that every `--filter` lets through; null where there is none. */
function filtered(catalog: OpenCatalog, filters: readonly string[]): Set<string> | null {
  if (filters.length === 0) return null;
  const manifests = filters.map((filter) => {
    const [, key, id] = /^(manifest|product)=(.+)$/.exec(filter) ?? [];
    if (key === undefined || id === undefined) {
      throw new FactoryError("USAGE", `no such filter: ${JSON.stringify(filter)}`, {
        fix: "such as --filter manifest=ID or --filter product=ID",
      });
    }
    return key === "product"
      ? catalog.product(id).document.manifest_id
      : catalog.manifest(id).document.manifest_id;
  });
  return new Set(manifests);
}

/** What is to be planned: one plan, one manifest by itself, or every plan. @throws FactoryError USAGE */
function requestsOf(catalog: OpenCatalog, options: PlanningOptions): PlanRequest[] {
  const { planId, manifestId, all = false, filter = [] } = options;
  if (planId !== undefined && manifestId !== undefined) {
    throw new FactoryError("USAGE", "a plan and --manifest-id are both named", {
      fix: "name one of the two: a plan names its manifest",
    });
  }
  if (filter.length > 0 && (planId !== undefined || manifestId !== undefined))
    throw new FactoryError("USAGE", "--filter chooses among all plans, and one is named", {
      fix: "drop one of the two",
    });
  if (planId !== undefined) return [{ planId }];
  if (manifestId !== undefined) return [{ manifestId }];
  const known = catalog.planIds();
  if (!all || known.length === 0) {
    throw new FactoryError("USAGE", known.length === 0 ? "there are no plans" : "no plan is named", {
      fix: `name one of: ${known.join(", ") || "(there are none)"}; or pass --manifest-id`,
    });
  }
  const wanted = filtered(catalog, filter);
  const chosen = known.filter((id) => wanted?.has(catalog.plan(id).document.manifest_id) ?? true);
  if (chosen.length === 0) {
    throw new FactoryError("USAGE", `no plan is over ${[...(wanted ?? [])].join(", ")}`, {
      fix: `there are plans: ${known.join(", ")}`,
    });
  }
  return chosen.map((id) => ({ planId: id }));
}

/** Digests that `FROM ref@digest` works with. What cannot be resolved is no error here: its cells are built, and fail there. */
function digestsOf(resolved: ReadonlyMap<string, BaseResolution>): Map<string, string> {
  const digests = new Map<string, string>();
  for (const [key, { digest, pinnable }] of resolved)
    if (pinnable && digest !== null) digests.set(key, digest);
  return digests;
}

/** Plans what the command line names. @throws FactoryError as planCells, USAGE */
export async function planOf(context: Context, options: PlanningOptions): Promise<Planned> {
  const catalog = await context.catalog();
  const { locked = false, reuse = false, force = false, since, changedFilesFrom, cell = [] } = options;
  if (since !== undefined && changedFilesFrom !== undefined) {
    throw new FactoryError("USAGE", "--since and --changed-files-from are both given", {
      fix: "use one of the two: --since renders both sides and compares keys, --changed-files-from goes by paths",
    });
  }
  const requests = requestsOf(catalog, options);
  const needsWorld = reuse || since !== undefined || changedFilesFrom !== undefined;
  const world = needsWorld ? await context.world() : undefined;
  const missing = (): never => {
    throw new Error("the world was not asked for");
  };
  return planCells(
    catalog,
    {
      requests,
      locked,
      reuse,
      force,
      needPushed: options.needPushed ?? false,
      since,
      changedFiles:
        changedFilesFrom === undefined ? undefined : world?.readLines(changedFilesFrom, context.cwd),
      cells: cell,
    },
    {
      now: context.now(),
      environment: context.environment,
      baseDigests: async (bases) =>
        digestsOf(await (world ?? missing()).baseDigests(bases, { pull: false, signal: context.signal })),
      attempts: (manifestIds) =>
        world?.attempts(catalog.root, manifestIds, { note: context.say, strict: true }) ?? missing(),
      places: {
        engineTags: (repositories) => (world ?? missing()).places.engineTags(repositories),
        engineHolds: (digest) => (world ?? missing()).places.engineHolds(digest),
        served: (ref) => (world ?? missing()).places.served(ref),
      },
      workspaceAt: (ref) => world?.workspaceAt(catalog.root, ref) ?? missing(),
      exists: (path) => world?.exists(catalog.root, path) ?? missing(),
      note: context.say,
    },
  );
}

/** Shards of a plan, with what tells one partition from another. */
export interface ShardedPlan extends Sharded {
  /** 12 hex digits over which cells are in which shard. */
  fingerprint: string;
}

/**
 * Splits a plan by platform, pool, shared prefixes and the durations that records tell.
 * @param by `shards` or `maxJobs`, as `shard` takes them
 */
export async function shardPlan(
  context: Context,
  planned: Planned,
  by: { shards: number } | { maxJobs: number },
): Promise<ShardedPlan> {
  const [catalog, world, { shard }, { poolOf, runnerKey }] = await Promise.all([
    context.catalog(),
    context.world(),
    import("../plan/shards.ts"),
    import("../plan/pools.ts"),
  ]);
  const manifestIds = [...new Set(planned.cells.map(({ cell }) => cell.manifest_id))];
  const attempts = await world.attempts(catalog.root, manifestIds, { note: context.say, strict: false });
  const runnerOf = poolOf(catalog);
  const durationOf = ({ cell }: PlannedCell) =>
    attempts.ofCell(cell.manifest_id, cell.cell_id).find(({ status }) => status === "pass")?.duration_ms ??
    null;
  const sharded = shard(planned.cells, {
    ...by,
    durationOf,
    runnerKey: ({ cell, keys }) => runnerKey(runnerOf(cell.platform, keys.gpus)),
  });
  const ids = sharded.shards.map((cells) => cells.map(({ cell }) => cell.cell_id));
  return { ...sharded, fingerprint: digestOf(ids).slice("sha256:".length, "sha256:".length + 12) };
}

/**
 * The cells of one shard. A shard that names the fingerprint of its partition is refused where the plan is split
 * otherwise here: a cell would fall between two shards.
 * @param text `3/16`, or `3/16@1a2b3c4d5e6f`
 * @throws FactoryError USAGE, SHARD_MOVED
 */
export async function takeShard(context: Context, planned: Planned, text: string): Promise<Planned> {
  const { parseShard } = await import("../plan/shards.ts");
  const [, numbers = text, wanted] = /^(.*)@([a-f0-9]{12})$/.exec(text) ?? [];
  const { index, count } = parseShard(numbers);
  const { shards, fingerprint } = await shardPlan(context, planned, { shards: count });
  if (wanted !== undefined && wanted !== fingerprint) {
    throw new FactoryError(
      "SHARD_MOVED",
      `the plan is split in another way than when shard ${numbers} was handed out (${fingerprint}, not ${wanted})`,
      { fix: "plan again, with the same records, factory.lock and options as the run" },
    );
  }
  return { ...planned, cells: shards[index - 1] ?? [] };
}
