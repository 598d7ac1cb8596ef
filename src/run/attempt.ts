import { rm } from "node:fs/promises";
import { FactoryError } from "../errors.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { failureOf, LOG_TAIL } from "./failure.ts";
import { buildImage, type Known, takeImage } from "./image.ts";
import { proveImage } from "./prove.ts";
import { pushImage } from "./push.ts";
import { startAttempt, type Trail } from "./trail.ts";
import type { RunDeps, RunSettings } from "./types.ts";

/**
 * One attempt at one cell, in a folder of its own: its image is built, or taken where its bits are known; it is
 * smoke-tested, inventoried and pushed. A failure is part of what it gives back. The folder is removed at the end.
 * @param folder absolute; made and removed here
 * @param known the image that is tested again; null where it is built
 * @throws FactoryError INTERRUPTED, and what no single cell can be blamed for
 */
export async function attempt(
  planned: PlannedCell,
  folder: string,
  known: Known | null,
  settings: RunSettings,
  deps: RunDeps,
): Promise<Trail> {
  const { signal } = settings;
  const log: string[] = [];
  const attempting = startAttempt(planned, folder, deps, signal);
  const { trail, timed } = attempting;
  try {
    const image = known
      ? await takeImage(attempting, known, deps)
      : await buildImage(attempting, log, settings, deps);
    if (!image || !(await proveImage(attempting, image, deps))) return trail;
    if (settings.push) {
      const pushed = await timed("push", () => pushImage(image.ref, image.digest, deps, signal));
      trail.retries += pushed.retries;
      if (pushed.failure) {
        trail.failure = pushed.failure;
        return trail;
      }
      if (trail.image) trail.image.pushed = true;
    }
    trail.stage = "done";
    return trail;
  } catch (error) {
    trail.failure = { ...failureOf(error, trail.stage), log_excerpt: log.slice(-LOG_TAIL) };
    if (!(error instanceof FactoryError)) trail.bug = error;
    if (error instanceof FactoryError && error.code === "WRITE_FAILED") throw error;
    return trail;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
