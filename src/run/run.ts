import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { openSnapshots } from "../files/snapshot.ts";
import type { Emit } from "../model/event.ts";
import type { Stage } from "../pipeline/stage.ts";
import { STAGES } from "../pipeline/table.ts";
import { type Planned, type PlannedCell, withCell } from "../plan/cell.ts";
import { waveOrder } from "../plan/waves.ts";
import type { CellEnded } from "../schemas/types.ts";
import { resolveIn } from "./bases.ts";
import { createEmit } from "./events.ts";
import { sweepHeld } from "./held.ts";
import { createOutcome, type RunOutcome } from "./outcome.ts";
import { ofPlatform, selectPlatforms } from "./platforms.ts";
import { bakePrefixes } from "./prefixes.ts";
import { maskedEmit, withMask } from "./masked.ts";
import { type Running, runCell } from "./run-cell.ts";
import type { RunDeps, RunSettings } from "./types.ts";

export interface RunRequest extends RunSettings {
  planned: Planned;
  platform?: string;
  /** How many cells at once. */
  jobs: number;
  /** Versions of Factory and Node, for the record. */
  versions: Record<string, string>;
  /** The stages of an attempt. Default: those of the table. */
  stages?: readonly Stage[];
}

/** The registry cache, unless its registry does not answer: waiting for it would only cost time. */
async function usableCache(repository: string | null, deps: RunDeps, emit: Emit): Promise<string | null> {
  if (repository === null || (await deps.registryAnswers(repository))) return repository;
  const text = `the cache registry ${repository} does not answer: building without it`;
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
async function toolVersions(
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
function reused({ cell }: PlannedCell, { nameOf }: RunDeps["store"]): Omit<CellEnded, "v" | "at"> {
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

/**
 * Runs cells, several at once: resolve the base, then one attempt each, then its record. A failing cell does not
 * stop the others. What a record proves is not run again. When the signal fires, running cells end, each with a
 * record, and no further one is started. All of it is told as events; what it gives back is read from them.
 * @throws FactoryError for failures that are not the fault of one cell: no engine, no such platform, a missing secret, a full disk
 */
export async function runCells(request: RunRequest, given: RunDeps): Promise<RunOutcome> {
  const { planned, signal, stages = STAGES } = request;
  const cells = ofPlatform(planned.cells, request.platform);
  const { take, outcome } = createOutcome();
  const { mask } = given.secrets;
  const deps = withMask(given);
  const emit = maskedEmit(createEmit(deps.clock, take, deps.onEvent), mask);
  emit({
    type: "run-started",
    plan_ids: planned.plan_ids,
    stages: stages.map(({ name }) => name),
    cells: cells.map(({ cell }) => cell.cell_id),
  });
  let left_out: { cell_id: string; platform: string }[] = [];
  let error: { code: string; what: string } | null = null;
  try {
    for (const one of cells) if (one.cell.action === "reuse") emit(reused(one, deps.store));
    const work = cells.filter(({ cell }) => cell.action !== "reuse");
    if (work.length > 0) {
      const proven = work.length < cells.length;
      left_out = await runWork(work, { ...request, stages, proven }, deps, emit);
    }
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    error = { code: thrown instanceof FactoryError ? thrown.code : "INTERNAL", what };
    throw thrown;
  } finally {
    deps.folder.remove();
    const interrupted = signal?.aborted ?? false;
    emit({ type: "run-ended", summary: outcome().summary, left_out, interrupted, error });
  }
  return outcome();
}

/** Runs the cells that no record proves as they are. Gives those that the engine cannot build. */
async function runWork(
  work: readonly PlannedCell[],
  request: RunRequest & { stages: readonly Stage[]; proven: boolean },
  deps: RunDeps,
  emit: Emit,
): Promise<{ cell_id: string; platform: string }[]> {
  const { jobs, signal } = request;
  const [able, source] = await Promise.all([deps.buildx.platforms(), deps.source(), deps.sweep()]);
  const { cells: chosen, leftOut } = selectPlatforms(work, request.platform, able, {
    others: request.proven,
  });
  for (const { cell } of leftOut) {
    const text = `left out ${cell.cell_id}: the engine cannot build ${cell.platform} (with --platform all that is an error)`;
    emit({ type: "note", level: "note", cell_id: cell.cell_id, text });
  }
  const left_out = leftOut.map(({ cell }) => ({ cell_id: cell.cell_id, platform: cell.platform }));
  if (chosen.length === 0) return left_out;
  // A cell whose image is known needs none, unless it turns out to be gone.
  await deps.secrets.require(chosen.filter(({ cell }) => cell.action === "build"));

  const folder = join(deps.folder.path(), `bases-${deps.randomHex()}`);
  const [bases, cacheRepository] = await Promise.all([
    resolveIn(folder, chosen, deps, signal),
    usableCache(request.cacheRepository, deps, emit),
    sweepHeld(request.root, deps.docker, deps.lease, deps.clock.date()),
  ]);
  const cells = cacheRepository === null ? chosen.map(withoutCache) : chosen;
  const tools = toolVersions(request.versions, deps.buildx);
  tools.catch(() => undefined);
  const settings = {
    ...request,
    snapshots: openSnapshots(request.root, join(deps.folder.path(), "files")),
    cacheRepository,
    tools,
    source,
    prefixesBaked: cacheRepository !== null && cells.length > 1,
  };
  const running: Running = { settings, stages: request.stages, tools, source, emit, signal, bugs: [] };
  // A failure that is not the fault of one cell would stop the next one too.
  let stopped = false;
  const one = async (before: PlannedCell): Promise<void> => {
    if (signal?.aborted || stopped) return;
    try {
      await runCell(bases.pinned(before), running, deps);
    } catch (error) {
      stopped ||= error instanceof FactoryError;
      throw error;
    }
  };
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(jobs);
  const prefixes = settings.prefixesBaked
    ? limit(() =>
        bakePrefixes(
          cells.map((cell) => bases.pinned(cell).planned),
          settings,
          deps,
          emit,
        ),
      )
    : Promise.resolve();
  const settled = await Promise.allSettled([
    prefixes,
    ...waveOrder(cells).map((cell) => limit(() => one(cell))),
  ]);
  await bases.ready;
  const broken = settled.find((each) => each.status === "rejected");
  if (broken) throw broken.reason;
  if (running.bugs.length > 0) throw running.bugs[0];
  return left_out;
}
