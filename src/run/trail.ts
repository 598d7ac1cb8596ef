import type { PlannedCell } from "../plan/cell.ts";
import { noFindings, type Stage } from "./failure.ts";
import type { Findings, RunDeps } from "./types.ts";

/** What an attempt leaves behind as it goes. `bug` is an error of ours: it is thrown on, but only after the attempt has its record. */
export type Trail = Findings & { stage: Stage; bug?: unknown };

/** One attempt at one cell, under way. */
export interface Attempting {
  planned: PlannedCell;
  /** Absolute; the attempt's own, removed at its end. */
  folder: string;
  trail: Trail;
  signal: AbortSignal | undefined;
  /** Does the work of a stage, shows it and keeps its time. */
  timed: <T>(stage: Exclude<Stage, "done">, work: () => Promise<T> | T) => Promise<T>;
  /** Keeps evidence in the store. */
  keep: (kind: string, data: string | Uint8Array, mediaType: string) => void;
}

export function startAttempt(
  planned: PlannedCell,
  folder: string,
  deps: Pick<RunDeps, "clock" | "onState" | "store">,
  signal: AbortSignal | undefined,
): Attempting {
  const { cell_id, manifest_id } = planned.cell;
  const trail: Trail = { stage: "stitch", ...noFindings() };
  return {
    planned,
    folder,
    trail,
    signal,
    timed: async (stage, work) => {
      trail.stage = stage;
      deps.onState(cell_id, { stage });
      const start = deps.clock.now();
      try {
        return await work();
      } finally {
        trail.stages_ms[stage] = Math.round(deps.clock.now() - start);
      }
    },
    keep: (kind, data, mediaType) => {
      trail.evidence[kind] = deps.store.keep(manifest_id, data, mediaType);
    },
  };
}
