import { recordId } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

/** A whole record. */
export function record(
  changes: Omit<Partial<FactoryRecord>, "result"> & { result?: Partial<FactoryRecord["result"]> } = {},
): FactoryRecord {
  const { result, ...rest } = changes;
  return {
    schema_version: 1,
    record_id: "20261121t010203456z-00000001",
    manifest_id: "demo",
    cell_id: "demo.linux-amd64",
    plan_id: null,
    build_key: DIGEST,
    verdict_key: DIGEST,
    template: { id: "plain", version: "0.1.0", digest: DIGEST },
    fragments: [{ name: "core", version: "0.1.0", digest: DIGEST }],
    args: { port: 8080 },
    base: { ref: "debian:bookworm-slim", digest: null },
    platform: "linux/amd64",
    image: null,
    test_suite_hash: DIGEST,
    tests: [{ id: "core/runs", status: "pass", duration_ms: 1 }],
    result: {
      status: "pass",
      stage: "done",
      class: null,
      expected: true,
      tested_at: "2026-11-21T01:02:03.456Z",
      duration_ms: 1,
      stages_ms: { build: 1 },
      notes: [],
      log_excerpt: [],
      ...result,
    },
    evidence: {},
    cache: { hits: 0, total: 0 },
    retries: 0,
    tools: { factory: "0.1.0" },
    source: { commit: null, dirty: null, ci_url: null },
    ...rest,
  };
}

/** A record's id, so many hours after a fixed moment. */
export function idAt(hour: number): string {
  return recordId(new Date(Date.UTC(2026, 0, 1, hour)), hour.toString(16).padStart(8, "0"));
}
