import { join } from "node:path";
import type { BaseResolution } from "../builder/base.ts";
import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import type { Stage, StageSettings, Trail } from "../pipeline/stage.ts";
import { oddEnd, type Path } from "../pipeline/table.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { stampOf } from "../records/record-id.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { attemptCell } from "./attempt.ts";
import { type Known, knownImage } from "./known.ts";
import { type About, recordOf, retagRecordOf } from "./record.ts";
import type { RunDeps } from "./types.ts";

/** What all cells of one run have in common. */
export interface Running {
  settings: StageSettings;
  stages: readonly Stage[];
  /** Versions of the tools that take part, for the records. */
  tools: Promise<Record<string, string>>;
  source: FactoryRecord["source"];
  emit: Emit;
  signal: AbortSignal | undefined;
  /** Errors of ours. Each has its record; the run throws one of them when all cells are done. */
  bugs: unknown[];
}

interface Attempted {
  path: Path;
  trail: Trail;
  known: Known | null;
}

/**
 * Does what the plan chose for a cell: build, test again, or only tag. Where a known image is gone, or cannot be pushed, it is
 * built: the engine may lack a part of it.
 */
async function attemptBy(
  { planned, base }: { planned: PlannedCell; base: BaseResolution | undefined },
  folder: string,
  running: Running,
  deps: RunDeps,
): Promise<Attempted> {
  const { cell } = planned;
  const { emit, signal, stages, settings } = running;
  const go = (path: Path, known: Known | null) =>
    attemptCell(planned, { base, folder, path, known, stages, settings }, deps, { emit, signal });
  const known =
    cell.action === "retest" || cell.action === "retag" ? await knownImage(planned, deps, running) : null;
  if (!known || cell.action === "build" || cell.action === "reuse")
    return { path: "build", known: null, trail: await go("build", null) };

  let why: string;
  try {
    const trail = await go(cell.action, known);
    const { failure } = trail;
    if (!failure || failure.class === "interrupted" || cell.action === "retest")
      return { path: cell.action, known, trail };
    why = failure.what;
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    why = error.message;
  }
  const text = `${cell.cell_id}: ${why}; it is built again`;
  emit({ type: "note", level: "note", cell_id: cell.cell_id, text });
  return { path: "build", known: null, trail: await go("build", null) };
}

/** Runs one cell to its record. @throws FactoryError for failures that are not the fault of the cell */
export async function runCell(
  pinned: { planned: PlannedCell; base: BaseResolution | undefined },
  running: Running,
  deps: RunDeps,
): Promise<void> {
  const { planned } = pinned;
  const { cell_id, manifest_id, platform, action, reason, plan_ids } = planned.cell;
  const { emit, tools, source, stages } = running;
  const start = deps.clock.now();
  const date = deps.clock.date();
  emit({
    type: "cell-started",
    cell_id,
    manifest_id,
    platform,
    action: action === "reuse" ? "build" : action,
    reason,
  });
  const folder = join(deps.folder.path(), `${stampOf(date)}-${deps.randomHex()}`);
  const { trail, path, known } = await attemptBy(pinned, folder, running, deps);
  const about: About = {
    plan_id: plan_ids[0] ?? null,
    start: date,
    duration_ms: Math.round(deps.clock.now() - start),
    tools: await tools,
    source,
  };
  const retagged = path === "retag" && known !== null && trail.failure === null;
  const draft = retagged
    ? retagRecordOf(planned, trail, known.record, about)
    : recordOf(planned, trail, about);
  const odd = oddEnd(stages, draft.result);
  if (odd !== undefined) throw new Error(`the record would end in a way that no stage can: ${odd}`);
  const record = await deps.store.put(draft, date);
  if (trail.bug !== undefined) running.bugs.push(trail.bug);
  const { status, stage, class: failure, expected, notes } = record.result;
  emit({
    type: "cell-ended",
    cell_id,
    manifest_id,
    platform,
    status: retagged ? "reused" : status,
    expected,
    stage,
    class: failure,
    record_id: record.record_id,
    record: deps.store.nameOf(record),
    image: record.image ? { ref: record.image.ref, digest: record.image.digest } : null,
    cache: trail.cache,
    duration_ms: about.duration_ms,
    notes,
  });
  if (trail.failure?.class === "disk")
    throw new FactoryError("WRITE_FAILED", `the engine's disk is full: ${trail.failure.what}`, {
      fix: "make room on it, for example with `docker system prune`",
    });
}
