import type { BaseResolution } from "../builder/base.ts";
import { FactoryError } from "../errors.ts";
import { removeTree } from "../files/folders.ts";
import type { Emit } from "../model/event.ts";
import { runStages } from "../pipeline/run-stages.ts";
import type { Attempt, Origin, Stage, StageSettings, Trail } from "../pipeline/stage.ts";
import { type Path, stagesOf } from "../pipeline/table.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { failedRef, forgetHeld, heldRef, noteHeld, release } from "./held.ts";
import { type Known, takeKnown } from "./known.ts";
import type { RunDeps } from "./types.ts";

/** What an attempt came to. */
export interface Ended {
  trail: Trail;
  /** The tag that goes on holding its image, if it passed and others start from it; else null. */
  held: string | null;
}

/** What an attempt has found before it began. */
export function emptyTrail(): Trail {
  return {
    stage: "done",
    failure: null,
    evidence: {},
    image: null,
    tests: [],
    cache: { hits: 0, total: 0 },
    retries: 0,
    stages_ms: {},
    notes: [],
  };
}

/** Gives an image that was not proven a tag of its own, in place of the cell's. */
async function keepFailed({ trail, image }: Attempt, ref: string, deps: RunDeps): Promise<void> {
  if (!image || trail.failure?.class === "interrupted") return;
  const failed = failedRef(ref);
  try {
    await deps.docker.tagImage(image.digest, failed);
    if (trail.image) trail.image.ref = failed;
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
  }
}

/**
 * One attempt at one cell, in a folder of its own, which is removed at the end: the stages that its path runs. The engine
 * holds the image under a tag of the attempt's own meanwhile; the cell's own tag moves when it is proven.
 * A failure is part of what it gives back.
 * @param given `known` is the image that is tested or tagged again; null where it is built. `lends`: the image goes on being
 * held where it is proven
 * @throws FactoryError WRITE_FAILED; IMAGE_NOT_FOUND where a known image is gone
 */
export async function attemptCell(
  planned: PlannedCell,
  given: {
    base: BaseResolution | undefined;
    origin: Origin | null;
    lends: boolean;
    folder: string;
    path: Path;
    known: Known | null;
    stages: readonly Stage[];
    settings: StageSettings;
  },
  deps: RunDeps,
  { emit, signal }: { emit: Emit; signal: AbortSignal | undefined },
): Promise<Ended> {
  const { base, origin, lends, folder, path, known, settings } = given;
  const ref = planned.cell.tags[0] ?? "";
  const held = heldRef(ref, deps.clock.date(), deps.randomHex());
  const attempt: Attempt = {
    planned,
    base,
    origin,
    folder,
    held,
    settings,
    trail: emptyTrail(),
    prefixes: [],
    image: null,
    tagged: false,
  };
  const wanted = given.stages.filter((stage) => stage.wanted?.(settings) ?? true);
  const { run, takenOver } = stagesOf(wanted, path);
  let isLent = false;
  try {
    noteHeld(settings.root, held, deps.lease);
    if (known) await takeKnown(attempt, known, takenOver, deps, signal);
    await runStages(run, attempt, deps, { emit, signal });
    const { trail } = attempt;
    if (trail.failure && !attempt.tagged && path !== "retag") await keepFailed(attempt, ref, deps);
    isLent = lends && trail.failure === null && attempt.image !== null;
    return { trail, held: isLent ? held : null };
  } finally {
    // A build that was ended may have left an image all the same.
    const mayHold =
      (attempt.image !== null && attempt.image.isAway !== true) ||
      attempt.trail.stages_ms.build !== undefined;
    if (!mayHold) forgetHeld(settings.root, held);
    else if (!isLent) await release(settings.root, deps.docker, held);
    removeTree(folder);
  }
}
