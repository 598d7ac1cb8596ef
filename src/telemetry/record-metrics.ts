import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { actionOf } from "../records/record-action.ts";
import type { StoredRecord } from "../records/stored-record.ts";

/** Seconds, from a cached cell to a long build on an emulator. */
const SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600];

const seconds = (milliseconds: number) => milliseconds / 1000;

/** Takes records, newest first. */
export interface RecordMetrics {
  take: (record: StoredRecord) => void;
  /** Called once, after the last one. @param unreadable how many files are no records */
  end: (unreadable: number) => void;
}

/**
 * The metrics that follow from records. What is counted only grows, since records are never deleted; a cell's own are those of its
 * newest verdict, which an error is not.
 */
export function recordMetrics(registry: Registry): RecordMetrics {
  const registers = [registry];
  const attempts = new Counter({
    name: "factory_attempts_total",
    help: "Attempts at cells that left a record.",
    labelNames: ["manifest_id", "platform", "action", "status", "class", "expected"] as const,
    registers,
  });
  const durations = new Histogram({
    name: "factory_attempt_duration_seconds",
    help: "How long attempts took.",
    labelNames: ["manifest_id", "action", "status"] as const,
    buckets: SECONDS,
    registers,
  });
  const stages = new Histogram({
    name: "factory_stage_duration_seconds",
    help: "How long the stages of attempts took; stages may overlap.",
    labelNames: ["manifest_id", "stage"] as const,
    buckets: SECONDS,
    registers,
  });
  const steps = new Counter({
    name: "factory_build_steps_total",
    help: "Steps of Dockerfiles, by whether the build cache had them.",
    labelNames: ["manifest_id", "platform", "cached"] as const,
    registers,
  });
  const retries = new Counter({
    name: "factory_retries_total",
    help: "Requests and builds that were tried again.",
    labelNames: ["manifest_id"] as const,
    registers,
  });
  const tests = new Counter({
    name: "factory_tests_total",
    help: "Smoke tests of attempts.",
    labelNames: ["manifest_id", "status"] as const,
    registers,
  });
  const cell = ["manifest_id", "cell_id", "platform"] as const;
  const passes = new Gauge({
    name: "factory_cell_passes",
    help: "Whether the newest verdict about a cell is a pass (1) or a failure (0).",
    labelNames: cell,
    registers,
  });
  const tested = new Gauge({
    name: "factory_cell_tested_timestamp_seconds",
    help: "When the newest verdict about a cell was given, in seconds since 1970.",
    labelNames: cell,
    registers,
  });
  const size = new Gauge({
    name: "factory_image_size_bytes",
    help: "Bytes of the uncompressed layers of the newest image of a cell that passed.",
    labelNames: cell,
    registers,
  });
  const layers = new Gauge({
    name: "factory_image_layers",
    help: "Layers of the newest image of a cell that passed.",
    labelNames: cell,
    registers,
  });
  const flaky = new Gauge({
    name: "factory_flaky_verdict_keys",
    help: "Verdict keys that have both a pass and a failure: equal inputs, equal tests, another verdict.",
    labelNames: ["manifest_id"] as const,
    registers,
  });
  const unread = new Gauge({
    name: "factory_records_unreadable",
    help: "Files among the records that are no records.",
    registers,
  });

  const judged = new Set<string>();
  const sized = new Set<string>();
  /** The statuses of each verdict key, and the manifests that have any. */
  const verdicts = new Map<string, { manifest_id: string; statuses: Set<string> }>();

  const takeCell = (record: StoredRecord) => {
    const { manifest_id, cell_id, platform, image, result } = record;
    if (result.status === "error") return;
    const of = { manifest_id, cell_id, platform };
    const name = JSON.stringify(of);
    if (!judged.has(name)) {
      judged.add(name);
      passes.set(of, result.status === "pass" ? 1 : 0);
      tested.set(of, seconds(Date.parse(result.tested_at)));
    }
    if (result.status === "pass" && image && !sized.has(name)) {
      sized.add(name);
      size.set(of, image.size);
      layers.set(of, image.layers);
    }
    const key = record.verdict_key;
    const known = verdicts.get(key) ?? { manifest_id, statuses: new Set() };
    verdicts.set(key, known);
    known.statuses.add(result.status);
  };

  return {
    take(record) {
      const { manifest_id, platform, result, cache } = record;
      const { status, expected } = result;
      const action = actionOf(record);
      attempts.inc({
        manifest_id,
        platform,
        action,
        status,
        class: result.class ?? "",
        expected: String(expected),
      });
      // An image in other layers says nothing of its cell.
      if (action !== "repack") takeCell(record);
      retries.inc({ manifest_id }, record.retries);
      // The times and tests of an image that only got another tag are those of the record that proves it.
      if (action === "retag") return;
      durations.observe({ manifest_id, action, status }, seconds(result.duration_ms));
      for (const [stage, spent] of Object.entries(result.stages_ms))
        stages.observe({ manifest_id, stage }, seconds(spent));
      if (cache.hits > 0) steps.inc({ manifest_id, platform, cached: "true" }, cache.hits);
      if (cache.total > cache.hits)
        steps.inc({ manifest_id, platform, cached: "false" }, cache.total - cache.hits);
      for (const one of record.tests) tests.inc({ manifest_id, status: one.status });
    },
    end(unreadable) {
      for (const { manifest_id, statuses } of verdicts.values())
        flaky.inc({ manifest_id }, statuses.size > 1 ? 1 : 0);
      unread.set(unreadable);
    },
  };
}
