import { provable } from "../../bench/provable.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import type { RecordDraft } from "../../src/records/record-id.ts";
import type { RecordStore } from "../../src/records/store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const BASE = `sha256:${"b".repeat(64)}`;
const IMAGE = `sha256:${"1".repeat(64)}`;

/** What the cell of `provenDraft` is made of. */
export const INPUTS: Inputs = {
  schema_version: 1,
  manifest_id: "demo",
  cell_id: "demo.linux-amd64",
  platform: "linux/amd64",
  template: { id: "plain", version: "0.1.0", digest: DIGEST },
  fragments: [{ name: "core", version: "0.1.0", digest: DIGEST }],
  args: { port: 8080 },
  dockerfile: "FROM debian:bookworm-slim AS base\n\nFROM base AS image\nRUN true\n",
  files: [{ path: "fragments/core/0.1.0/run.sh", mode: "0755", sha256: DIGEST }],
  images: [{ role: "base", ref: "debian:bookworm-slim", digest: BASE }],
  environment: {},
  tests: [
    { from: "core", id: "runs", timeout_s: null, check: null },
    { from: "manifest", id: "answers", timeout_s: 5, check: null },
  ],
  gpus: null,
  limits: { memory_mb: 512, pids: 256, timeout_s: 60 },
};

export const START = new Date("2026-11-21T01:02:03.456Z");

/** Keeps the evidence of a pass, and gives its record, which is not put yet. `change` is what has other inputs. */
export async function provenDraft(
  store: RecordStore,
  change: Partial<Inputs> = {},
  start = START,
): Promise<RecordDraft> {
  const inputs = { ...INPUTS, ...change };
  const { draft, evidence } = provable(inputs, { start, duration_ms: 60_000, digest: IMAGE, ref: "demo:1" });
  for (const [kind, { text, mediaType }] of Object.entries(evidence))
    draft.evidence[kind] = await store.keep(inputs.manifest_id, text, mediaType);
  return draft;
}

/** Puts the record of a pass, or with `failed` of a build that failed, so many hours after a fixed moment. */
export async function putAt(
  store: RecordStore,
  hour: number,
  { manifest_id = "demo", failed = false } = {},
): Promise<FactoryRecord> {
  const start = new Date(Date.UTC(2026, 0, 1, hour));
  const pass = await provenDraft(store, { manifest_id }, start);
  if (!failed) return store.put(pass, start);
  const { inputs, dockerfile, bake_file, build_log } = pass.evidence;
  const draft: RecordDraft = {
    ...pass,
    image: null,
    tests: [],
    result: { ...pass.result, status: "fail", stage: "build", class: "step", expected: false },
    evidence: Object.fromEntries(
      Object.entries({ inputs, dockerfile, bake_file, build_log }).flatMap(([kind, one]) =>
        one ? [[kind, one]] : [],
      ),
    ),
  };
  return store.put(draft, start);
}

/** A record that is one by its form alone. */
export function record(
  changes: Omit<Partial<FactoryRecord>, "result"> & { result?: Partial<FactoryRecord["result"]> } = {},
): FactoryRecord {
  const { result, ...rest } = changes;
  return {
    schema_version: 2,
    record_id: "20261121t010203456z-0000000000000001",
    manifest_id: "demo",
    cell_id: "demo.linux-amd64",
    plan_id: null,
    proven_by: null,
    recipe_key: DIGEST,
    build_key: DIGEST,
    verdict_key: DIGEST,
    template: { id: "plain", version: "0.1.0", digest: DIGEST },
    fragments: [{ name: "core", version: "0.1.0", digest: DIGEST }],
    args: { port: 8080 },
    base: { ref: "debian:bookworm-slim", digest: null },
    images: [{ role: "base", ref: "debian:bookworm-slim", digest: null }],
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

/** The same without its id. */
export function draft(changes: Parameters<typeof record>[0] = {}): RecordDraft {
  const whole: Partial<FactoryRecord> = record(changes);
  delete whole.record_id;
  return whole as RecordDraft;
}

/** A record's id, so many hours after a fixed moment. */
export function idAt(hour: number): string {
  const stamp = new Date(Date.UTC(2026, 0, 1, hour)).toISOString().replace(/[-:.]/g, "").toLowerCase();
  return `${stamp}-${hour.toString(16).padStart(16, "0")}`;
}
