import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { digestOf, sha256Hex } from "../src/model/digest.ts";
import type { Inputs } from "../src/model/inputs.ts";
import { doneLine, headerLine, putLine } from "../src/records/ledger-lines.ts";
import { recordId, type RecordDraft } from "../src/records/record-id.ts";
import type { Evidence } from "../src/schemas/types.ts";
import { provable, type Provable } from "./provable.ts";

export interface ManyRecords {
  /** `many` where it is left out. */
  manifestId?: string;
  /** The inputs of the record of a number, from 0; without them it has made-up ones. */
  inputs?: (number: number) => Inputs | undefined;
  /** Records with made-up inputs have no evidence but a log, which they share: they prove nothing, and are quick to write. */
  bare?: boolean;
  /** What a record has in place of what is made up. One that has anything proves nothing. */
  change?: (number: number) => Partial<RecordDraft>;
  /** The image's reference. */
  ref?: (number: number) => string;
}

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
/** Attempts at a cell, so that there are a tenth as many cells as records. */
const ATTEMPTS = 10;

/** Inputs of a number: no two have a key in common. */
function madeUp(number: number, manifest_id: string): Inputs {
  const base = digestOf("base");
  return {
    schema_version: 1,
    manifest_id,
    cell_id: `${manifest_id}.cell-${Math.floor(number / ATTEMPTS)}.linux-amd64`,
    platform: "linux/amd64",
    template: { id: "plain", version: "0.1.0", digest: digestOf("template") },
    fragments: ["security", "core", "light", "app"].map((name) => ({
      name,
      version: "0.1.0",
      digest: digestOf([name, number % 100]),
    })),
    args: { port: 8080, python: "python3" },
    dockerfile: `FROM debian:bookworm-slim AS base\nFROM base AS image\nRUN echo ${number}\n`,
    files: [],
    images: [{ role: "base", ref: "debian:bookworm-slim", digest: base }],
    environment: {},
    tests: [{ from: "core", id: "runs", timeout_s: null, check: null }],
    gpus: null,
    limits: { memory_mb: 512, pids: 256, timeout_s: 60 },
  };
}

/** Every tenth attempt at a cell failed. */
function failedIn({ draft, evidence }: Provable): Provable {
  const rest = { ...evidence };
  delete rest.sbom;
  const tests = draft.tests.map((test) => ({ ...test, status: "fail" as const }));
  const report = JSON.parse(rest.smoke_report?.text ?? "{}") as { tests: object[] };
  const told = {
    ...report,
    status: "fail",
    tests: report.tests.map((test) => ({ ...test, status: "fail" })),
  };
  return {
    draft: {
      ...draft,
      tests,
      result: { ...draft.result, status: "fail", stage: "smoke", class: "smoke-test", expected: false },
    },
    evidence: {
      ...rest,
      smoke_report: { text: JSON.stringify(told), mediaType: "application/json" },
    },
  };
}

/** Keeps evidence as the store does, but for syncing it to the disk. */
function keep(folder: string, text: string, media_type: string): Evidence {
  const bytes = Buffer.from(text);
  const sha256 = sha256Hex(bytes);
  const path = `evidence/sha256/${sha256.slice(0, 2)}/${sha256}`;
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), bytes);
  return { path, sha256, bytes: bytes.length, media_type };
}

/**
 * Writes records of one manifest with all their evidence and a ledger, the same ones each time. Nothing is synced to the disk.
 * @param root absolute path of a workspace
 * @returns the verdict keys, by the records' numbers
 */
export function writeManyRecords(root: string, count: number, options: ManyRecords = {}): string[] {
  const { manifestId = "many", change = () => ({}), inputs = () => undefined, bare = false } = options;
  const folder = join(root, "records", manifestId);
  mkdirSync(join(folder, "ledger"), { recursive: true });
  const build_log = keep(folder, "#1 built\n", "text/plain");
  const lines: string[] = [headerLine(manifestId, [])];
  const keys = Array.from({ length: count }, (_, number) => {
    const start = new Date(START + number * MINUTE);
    const own = inputs(number) ?? madeUp(number, manifestId);
    const ref =
      options.ref?.(number) ??
      `registry.example/team/${manifestId}:cell-${Math.floor(number / ATTEMPTS)}-linux-amd64`;
    const digest = digestOf(["image", number]);
    const pass = provable(own, { start, duration_ms: MINUTE / 2, digest, ref });
    const isMadeUp = inputs(number) === undefined;
    const { draft, evidence } = isMadeUp && number % ATTEMPTS === 0 ? failedIn(pass) : pass;
    const named =
      isMadeUp && bare
        ? { build_log }
        : Object.fromEntries(
            Object.entries(evidence).map(([kind, one]) => [kind, keep(folder, one.text, one.mediaType)]),
          );
    const whole: RecordDraft = { ...draft, evidence: named, ...change(number) };
    const record = { ...whole, record_id: recordId(start, whole) };
    const { record_id, verdict_key } = record;
    const text = `${JSON.stringify(record, null, 2)}\n`;
    writeFileSync(join(folder, `${record_id}.json`), text);
    const entry = { record_id, sha256: sha256Hex(text), verdict_key: verdict_key.slice("sha256:".length) };
    lines.push(putLine(entry), doneLine(record_id));
    return verdict_key;
  });
  writeFileSync(join(folder, "ledger", `20260101t000000000z-${"0".repeat(16)}.ndjson`), lines.join(""));
  return keys;
}
