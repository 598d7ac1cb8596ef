import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../src/model/digest.ts";
import { keepEvidence } from "../src/records/evidence.ts";
import { recordId } from "../src/records/record-id.ts";
import type { Evidence, FactoryRecord } from "../src/schemas/types.ts";

export interface ManyRecords {
  /** `many` where it is left out. */
  manifestId?: string;
  /** What a record has in place of what is made up, by its number from 0. */
  change?: (number: number) => Partial<FactoryRecord>;
}

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
/** Attempts at a cell, so that there are a tenth as many cells as records. */
const ATTEMPTS = 10;

/** The made-up record of a number: every tenth attempt at a cell failed, and no two records share a key. */
function madeUp(number: number, manifestId: string, build_log: Evidence): FactoryRecord {
  const start = new Date(START + number * MINUTE);
  const hex = number.toString(16).padStart(8, "0");
  const cell_id = `${manifestId}.cell-${Math.floor(number / ATTEMPTS)}.linux-amd64`;
  const passed = number % ATTEMPTS !== 0;
  const digest = digestOf(["image", number]);
  return {
    schema_version: 1,
    record_id: recordId(start, hex),
    manifest_id: manifestId,
    cell_id,
    plan_id: null,
    build_key: digestOf(["build", number]),
    verdict_key: digestOf(["verdict", number]),
    template: { id: "plain", version: "0.1.0", digest: digestOf("template") },
    fragments: ["security", "core", "light", "app"].map((name) => ({
      name,
      version: "0.1.0",
      digest: digestOf([name, number % 100]),
    })),
    args: { port: 8080, python: "python3" },
    base: { ref: "debian:bookworm-slim", digest: digestOf("base") },
    platform: "linux/amd64",
    image: {
      ref: `registry.example/team/${manifestId}:cell-${Math.floor(number / ATTEMPTS)}-linux-amd64`,
      digest,
      manifest_digest: digest,
      size: 100_000_000,
      layers: 8,
      pushed: true,
    },
    test_suite_hash: digestOf("tests"),
    tests: [{ id: "core/runs", status: passed ? "pass" : "fail", duration_ms: 100 }],
    result: {
      status: passed ? "pass" : "fail",
      stage: passed ? "done" : "smoke",
      class: passed ? null : "smoke-test",
      expected: passed,
      tested_at: new Date(start.getTime() + MINUTE / 2).toISOString(),
      duration_ms: MINUTE / 2,
      stages_ms: { stitch: 10, build: 20_000, smoke: 5000, sbom: 1000 },
      notes: [],
      log_excerpt: [],
    },
    evidence: { build_log },
    cache: { hits: 4, total: 8 },
    retries: 0,
    tools: { factory: "0.1.0", docker: "28.0.0", buildx: "0.20.0" },
    source: { commit: "0".repeat(40), dirty: false, ci_url: null },
  };
}

/**
 * Writes records of one manifest, the same ones each time, that share one piece of evidence. Nothing is synced to the disk.
 * @param root absolute path of a workspace
 * @returns the verdict keys, by the records' numbers
 */
export function writeManyRecords(root: string, count: number, options: ManyRecords = {}): string[] {
  const { manifestId = "many", change = () => ({}) } = options;
  const folder = join(root, "records", manifestId);
  mkdirSync(folder, { recursive: true });
  const build_log = keepEvidence(folder, "#1 built\n", "text/plain");
  return Array.from({ length: count }, (_, number) => {
    const record = { ...madeUp(number, manifestId, build_log), ...change(number) };
    writeFileSync(join(folder, `${record.record_id}.json`), `${JSON.stringify(record, null, 2)}\n`);
    return record.verdict_key;
  });
}
