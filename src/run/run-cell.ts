import { join } from "node:path";
import type { BaseResolution } from "../builder/base.ts";
import { FactoryError } from "../errors.ts";
import type { Emit } from "../model/event.ts";
import type { Origin, Stage, StageSettings } from "../pipeline/stage.ts";
import { oddEnd, type Path } from "../pipeline/table.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { stampOf } from "../records/record-id.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { attemptCell, type Ended } from "./attempt.ts";
import { type Known, knownImage } from "./known.ts";
import type { End } from "./origins.ts";
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
  /** Takes over the tag that holds an image which others start from. */
  lend: (held: string) => void;
  /** Told each cell that has passed, with its record. */
  passed: (planned: PlannedCell, record: FactoryRecord) => void;
  /** Errors of ours. Each has its record; the run throws one of them when all cells are done. */
  bugs: unknown[];
}

/** A cell on the digests of what it starts from. */
export interface Pinned {
  planned: PlannedCell;
  /** The first of its images that cannot be had. */
  base: BaseResolution | undefined;
  /** The image of its parent; null where it starts from none. */
  origin: Origin | null;
  /** Whether others start from its image. */
  lends: boolean;
}

interface Attempted extends Ended {
  path: Path;
  known: Known | null;
}

/**
 * Does what the plan chose for a cell: build, test again, or only tag. Where a known image is gone, or cannot be pushed, it is
 * built: the engine may lack a part of it.
 */
async function attemptBy(
  { planned, base, origin, lends }: Pinned,
  folder: string,
  running: Running,
  deps: RunDeps,
): Promise<Attempted> {
  const { cell } = planned;
  const { emit, signal, stages, settings } = running;
  const go = (path: Path, known: Known | null) =>
    attemptCell(planned, { base, origin, lends, folder, path, known, stages, settings }, deps, {
      emit,
      signal,
    });
  // A tag is moved in the registry alone, unless somebody here starts from the image.
  const mayStay = cell.action === "retag" && settings.push && !lends && deps.moveTag !== undefined;
  const isBlocked = origin !== null && "blocked" in origin;
  const known =
    !isBlocked && (cell.action === "retest" || cell.action === "retag")
      ? await knownImage(planned, deps, { emit, signal, mayStay })
      : null;
  if (!known || cell.action === "build" || cell.action === "reuse")
    return { path: "build", known: null, ...(await go("build", null)) };

  let why: string;
  try {
    const ended = await go(cell.action, known);
    const { failure } = ended.trail;
    if (!failure || failure.class === "interrupted" || cell.action === "retest")
      return { path: cell.action, known, ...ended };
    why = failure.what;
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    why = error.message;
  }
  const text = `${cell.cell_id}: ${why}; it is built again`;
  emit({ type: "note", level: "note", cell_id: cell.cell_id, text });
  return { path: "build", known: null, ...(await go("build", null)) };
}

/** How a cell ended, for those that start from it. */
function endOf({ cell_id, image, result }: FactoryRecord, held: string | null): End {
  const { status, class: name } = result;
  if (status !== "pass" || !image)
    return { state: "blocked", root: cell_id, why: `${status} (${name ?? "no image"})` };
  return { state: "passed", digest: image.digest, held, pushed: image.pushed ? image.ref : null };
}

/** Runs one cell to its record. @throws FactoryError for failures that are not the fault of the cell */
export async function runCell(pinned: Pinned, running: Running, deps: RunDeps): Promise<End> {
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
  const { trail, held, path, known } = await attemptBy(pinned, folder, running, deps);
  if (held !== null) running.lend(held);
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
  if (status === "pass") running.passed(planned, record);
  if (trail.failure?.class === "disk")
    throw new FactoryError("WRITE_FAILED", `the engine's disk is full: ${trail.failure.what}`, {
      fix: "make room on it, for example with `docker system prune`",
    });
  return endOf(record, held);
}
