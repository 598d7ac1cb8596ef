import { Counter, Histogram, type Registry } from "prom-client";
import type { RunEvent } from "../schemas/types.ts";

/** Seconds of a whole run. */
const SECONDS = [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];

/** Takes the events of runs, one run after the other. */
export interface RunMetrics {
  take: (event: RunEvent) => Promise<void>;
}

/**
 * The metrics that follow from the events of runs and from no record: what was reused leaves none.
 * @param spentOn how long the attempt took that a record is of, in milliseconds; null if it is not known
 */
export function runMetrics(
  registry: Registry,
  spentOn: (recordId: string) => Promise<number | null>,
): RunMetrics {
  const registers = [registry];
  const runs = new Counter({
    name: "factory_runs_total",
    help: "Runs that came to their end, and those that were interrupted or broke off.",
    labelNames: ["ended"] as const,
    registers,
  });
  const durations = new Histogram({
    name: "factory_run_duration_seconds",
    help: "How long runs took, from their first event to their last.",
    buckets: SECONDS,
    registers,
  });
  const cells = new Counter({
    name: "factory_run_cells_total",
    help: "Cells of runs, by what became of them.",
    labelNames: ["manifest_id", "platform", "status", "expected"] as const,
    registers,
  });
  const saved = new Counter({
    name: "factory_reuse_saved_seconds_total",
    help: "What the attempts took whose records were reused: time that was not spent again.",
    labelNames: ["manifest_id"] as const,
    registers,
  });
  let began: number | null = null;
  return {
    async take(event) {
      if (event.type === "run-started") began = Date.parse(event.at);
      if (event.type === "cell-ended") {
        const { manifest_id, platform, status, expected } = event;
        cells.inc({ manifest_id, platform, status, expected: String(expected) });
        if (status === "reused") saved.inc({ manifest_id }, ((await spentOn(event.record_id)) ?? 0) / 1000);
      }
      if (event.type === "run-ended") {
        runs.inc({ ended: event.error ? "broke-off" : event.interrupted ? "interrupted" : "done" });
        if (began !== null) durations.observe(Math.max(0, Date.parse(event.at) - began) / 1000);
        began = null;
      }
    },
  };
}
