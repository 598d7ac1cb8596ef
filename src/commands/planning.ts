import type { BaseResolution } from "../builder/base.ts";
import { FactoryError } from "../errors.ts";
import type { Planned } from "../plan/cell.ts";
import { planCells } from "../plan/planner.ts";
import type { CellKeys } from "../records/remote/remote.ts";
import { requestsOf } from "../plan/requests.ts";
import type { SplitDeps } from "../plan/shards/split.ts";
import type { Context } from "./context.ts";

/** What the command line says about which cells are meant, and what to ask about them. */
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
  /** A file with one changed path per line; `-` for stdin. */
  changedFilesFrom?: string;
  cell?: string[];
  /** Whether those cells were chosen without records. */
  chosen?: boolean;
  /** Whether an image has to have been pushed to count as proven. */
  needPushed?: boolean;
  /** Whether nothing is going to be made. */
  onlyProven?: boolean;
}

/** Digests that work in `FROM ref@digest`. A base that cannot be resolved is no error here: its cells are built, and fail then. */
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
      fix: "use one of the two: --since renders both sides and compares keys, --changed-files-from compares paths",
    });
  }
  const requests = requestsOf(catalog, options);
  const needsWorld = reuse || since !== undefined || changedFilesFrom !== undefined;
  const world = needsWorld ? await context.world() : undefined;
  const missing = (): never => {
    throw new Error("the world was not asked for");
  };
  const remote = reuse && !force ? catalog.settings().records_remote : null;
  const fetchRecords = async (root: string, from: string, cells: readonly CellKeys[]): Promise<boolean> => {
    const { openStore } = await import("../pipeline/open-store.ts");
    const brought = await (await (world ?? missing()).recordRemote(from)).fetch(openStore(root), cells);
    if (brought > 0) context.say(`${brought} ${brought === 1 ? "record" : "records"} brought from ${from}`);
    return brought > 0;
  };
  return planCells(
    catalog,
    {
      requests,
      locked,
      reuse,
      force,
      needPushed: options.needPushed ?? false,
      onlyProven: options.onlyProven ?? false,
      since,
      changedFiles:
        changedFilesFrom === undefined ? undefined : world?.readLines(changedFilesFrom, context.cwd),
      cells: cell,
      chosen: options.chosen,
    },
    {
      now: context.now(),
      environment: context.environment,
      baseDigests: async (bases) =>
        digestsOf(await (world ?? missing()).baseDigests(bases, { pull: false, signal: context.signal })),
      attempts: (manifestIds) =>
        world?.attempts(catalog.root, manifestIds, { note: context.say, strict: true }) ?? missing(),
      dockerRepackVersion: () => (world ?? missing()).dockerRepack.version(),
      fetchRecords: remote === null ? undefined : (cells) => fetchRecords(catalog.root, remote, cells),
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

/** What splitting a plan needs beside the plan. */
export async function splitDeps(context: Context): Promise<SplitDeps> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  return {
    catalog,
    attempts: (manifestIds) =>
      world.attempts(catalog.root, manifestIds, { note: context.say, strict: false }),
  };
}
