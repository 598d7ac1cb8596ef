import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { openSnapshots } from "../files/snapshot.ts";
import type { Emit } from "../model/event.ts";
import type { CacheUse } from "../model/cache-place.ts";
import type { Stage } from "../pipeline/stage.ts";
import { type PlannedCell, withCell } from "../plan/cell.ts";
import { above } from "../plan/topology.ts";
import { waveOrder } from "../plan/waves.ts";
import type { CellEnded } from "../schemas/types.ts";
import { resolveIn } from "./bases.ts";
import { followParents } from "./follow.ts";
import { sweepHeld } from "./held.ts";
import { type Lineage, parentsIn } from "./lineage.ts";
import { type End, openOrigins, type Origins } from "./origins.ts";
import { selectPlatforms } from "./platforms.ts";
import { bakePrefixes } from "./prefixes.ts";
import type { Repacks } from "./repacks.ts";
import { type Running, runCell } from "./run-cell.ts";
import type { RunDeps, RunRequest } from "./types.ts";

/** The cache, unless it cannot be used: waiting for it would only cost time. */
async function usableCache(cache: CacheUse | null, deps: RunDeps, emit: Emit): Promise<CacheUse | null> {
  const trouble = cache && (await deps.cacheTrouble(cache.place));
  if (trouble === null) return cache;
  const text = `${trouble}: building without it`;
  emit({ type: "note", level: "note", cell_id: null, text });
  return null;
}

/** The cell without any ref of a registry cache: one that does not answer would hold its build up. */
function withoutCache(planned: PlannedCell): PlannedCell {
  const { cache_from, cache_to } = planned.cell;
  return cache_from.length + cache_to.length === 0
    ? planned
    : withCell(planned, { cache_from: [], cache_to: [] });
}

/** Versions of all tools, asked while the first builds run: one that cannot be told by now costs no result. */
export async function toolVersions(
  known: Record<string, string>,
  buildx: RunDeps["buildx"],
): Promise<Record<string, string>> {
  const asked = await buildx.version().catch((error: unknown) => {
    if (error instanceof FactoryError) return {};
    throw error;
  });
  return Object.fromEntries(
    Object.entries({ ...known, ...asked }).filter((pair): pair is [string, string] => pair[1] !== null),
  );
}

/** The result of a cell that a record proves, and whose image is where it should be. */
export function reused({ cell }: PlannedCell, { nameOf }: RunDeps["store"]): Omit<CellEnded, "v" | "at"> {
  const { cell_id, manifest_id, platform } = cell;
  const record_id = cell.record_id ?? "";
  return {
    type: "cell-ended",
    cell_id,
    manifest_id,
    platform,
    status: "reused",
    expected: true,
    stage: "done",
    class: null,
    record_id,
    record: nameOf({ manifest_id, record_id }),
    image: null,
    cache: { hits: 0, total: 0 },
    duration_ms: 0,
    notes:
      cell.seen === "unasked"
        ? ["proven by the record alone: there was no engine or registry to ask for the image"]
        : [],
  };
}

/** A cell that was to be reused or tested again, and whose base has become another image: it is built. */
function builtAgain(planned: PlannedCell): PlannedCell {
  if (planned.cell.action === "build") return planned;
  const changes = [{ input: "parent", before: null, after: planned.cell.parent ?? null }];
  return withCell(planned, { action: "build", reason: "PARENT", changes });
}

/** Holds the image of a cell that a record proves, and tells that; null if the image is gone. */
async function takeProven(
  planned: PlannedCell,
  origins: Origins,
  deps: RunDeps,
  { emit, take }: { emit: Emit; take: Repacks["take"] },
): Promise<End | null> {
  const end = await origins.proven(planned, emit);
  if (!end) return null;
  emit(reused(planned, deps.store));
  take(planned, null);
  return end;
}

/**
 * Runs the cells that no record proves as they are, each after the one that it starts from. Gives those that the engine cannot
 * build.
 */
export async function runWork(
  lineage: Lineage,
  request: RunRequest & { stages: readonly Stage[] },
  deps: RunDeps,
  { emit, take }: { emit: Emit; take: Repacks["take"] },
): Promise<{ cell_id: string; platform: string }[]> {
  const { jobs, signal } = request;
  const [able, source] = await Promise.all([deps.buildx.platforms(), deps.source(), deps.sweep()]);
  const { cells: chosen, leftOut } = selectPlatforms(lineage.active, request.platform, able, {
    others: lineage.settled.length + lineage.lenders.length > 0,
  });
  for (const { cell } of leftOut) {
    const text = `left out ${cell.cell_id}: the engine cannot build ${cell.platform} (with --platform all that is an error)`;
    emit({ type: "note", level: "note", cell_id: cell.cell_id, text });
  }
  const left_out = leftOut.map(({ cell }) => ({ cell_id: cell.cell_id, platform: cell.platform }));
  const lenders = above(chosen, [...lineage.lenders, ...chosen]);
  for (const one of lineage.lenders) {
    if (lenders.includes(one)) continue;
    emit(reused(one, deps.store));
    take(one, null);
  }
  if (chosen.length === 0) return left_out;
  // A cell whose image is known needs none, unless it turns out to be gone.
  await deps.secrets.require(chosen.filter(({ cell }) => cell.action === "build"));

  const folder = join(deps.folder.path(), `bases-${deps.randomHex()}`);
  const [bases, cache] = await Promise.all([
    resolveIn(folder, chosen, deps, signal),
    usableCache(request.cache, deps, emit),
    sweepHeld(request.root, deps.docker, deps.lease, deps.clock.date()),
  ]);
  const cells = cache === null ? chosen.map(withoutCache) : chosen;
  const tools = toolVersions(request.versions, deps.buildx);
  tools.catch(() => undefined);
  // What starts from another's image is baked when that image is there.
  const first = cells.filter(({ cell }) => cell.parent === undefined);
  const settings = {
    ...request,
    snapshots: openSnapshots(request.root, join(deps.folder.path(), "files"), signal),
    cache,
    tools,
    source,
    prefixesBaked: cache?.writes === true && first.length > 1,
  };
  const origins = openOrigins(request.root, deps);
  const { lend } = origins;
  const { stages } = request;
  const running: Running = { settings, stages, tools, source, emit, signal, lend, passed: take, bugs: [] };
  // A failure that is not the fault of one cell would stop the next one too.
  let stopped = false;
  const all = [...lenders, ...waveOrder(cells)];
  const parents = parentsIn(all);
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(jobs);
  const one = (before: PlannedCell, parent: End | null): Promise<End> =>
    limit(async (): Promise<End> => {
      if (signal?.aborted || stopped || parent?.state === "skipped") return { state: "skipped" };
      try {
        const origin = parent && (await origins.originOf(before, parent));
        const { planned, base } = bases.pinned(before, origins.digests());
        const asPlanned = planned.keys.verdict_key === before.keys.verdict_key;
        const isReused = before.cell.action === "reuse" && asPlanned && parent?.state !== "blocked";
        const end =
          (isReused ? await takeProven(before, origins, deps, { emit, take }) : null) ??
          (await runCell(
            {
              planned: asPlanned ? planned : builtAgain(planned),
              base,
              origin,
              lends: parents.has(before.cell.cell_id),
            },
            running,
            deps,
          ));
        const known: End =
          end.state === "blocked" && parent?.state === "blocked" ? { ...end, root: parent.root } : end;
        origins.ended(before, known);
        return known;
      } catch (error) {
        stopped ||= error instanceof FactoryError;
        throw error;
      }
    });
  const prefixes = settings.prefixesBaked
    ? limit(() =>
        bakePrefixes(
          first.map((cell) => bases.pinned(cell, origins.digests()).planned),
          settings,
          deps,
          emit,
        ),
      )
    : Promise.resolve();
  const baked = Promise.allSettled([prefixes]);
  try {
    const settled = [...(await followParents(all, { run: one, done: origins.done })), ...(await baked)];
    const broken = settled.find((each) => each.status === "rejected");
    if (broken) throw broken.reason;
  } finally {
    await origins.close();
    await bases.ready;
  }
  if (running.bugs.length > 0) throw running.bugs[0];
  return left_out;
}
