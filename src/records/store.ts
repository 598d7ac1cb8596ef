import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import type { Evidence, FactoryRecord } from "../schemas/types.ts";
import { evidenceProblem, keepEvidence } from "./evidence.ts";
import { type Located, locateRecords, recordPath, unreadableRecord } from "./locate.ts";
import { loadRecordCheck, parseRecord, readRecordFile } from "./read-record.ts";
import { RECORD_ID, timeOfRecordId } from "./record-id.ts";
import { insideWorkspace } from "../files/own-folders.ts";
import { writeWhole } from "../files/write-whole.ts";

/** What a list shows of a record. */
export interface RecordSummary {
  record_id: string;
  manifest_id: string;
  cell_id: string;
  platform: string;
  status: "pass" | "fail" | "error";
  expected: boolean;
  stage: string;
  class: string | null;
  tested_at: string;
  duration_ms: number;
  digest: string | null;
}

/** One thing that a verification found. */
export interface RecordProblem {
  record_id: string;
  /** The kind of evidence, or `record` for the document itself. */
  evidence: string;
  what: string;
}

export interface ListRequest {
  manifestId?: string;
  status?: string;
  /** Milliseconds since 1970: only records that started then or later. */
  since?: number;
  limit?: number;
}

/** The records of a workspace. Records are only ever added. */
export interface RecordStore {
  keep: (manifestId: string, bytes: string | Uint8Array, mediaType: string) => Evidence;
  /** Checks the record against its schema and writes it whole. Gives its path from the workspace's root. */
  add: (record: FactoryRecord) => Promise<string>;
  /** Newest first. `unreadable` names files that are no records: they are reported, never hidden. */
  list: (
    request: ListRequest,
  ) => Promise<{ records: RecordSummary[]; total: number; unreadable: RecordProblem[] }>;
  /** @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE */
  get: (recordId: string) => Promise<FactoryRecord>;
  /** Re-hashes all evidence of one record, or of all. */
  verify: (recordId?: string) => Promise<{ checked: number; evidence: number; problems: RecordProblem[] }>;
}

/** Reads and checks one record. @throws FactoryError RECORD_UNREADABLE */
async function read(located: Located): Promise<FactoryRecord> {
  const file = readRecordFile(located);
  if (!file) throw unreadableRecord(located, "is gone");
  return parseRecord(located, file.bytes, await loadRecordCheck());
}

function summarize(record: FactoryRecord): RecordSummary {
  const { status, expected, stage, class: failure, tested_at, duration_ms } = record.result;
  const { record_id, manifest_id, cell_id, platform } = record;
  const digest = record.image?.digest ?? null;
  return {
    record_id,
    manifest_id,
    cell_id,
    platform,
    status,
    expected,
    stage,
    class: failure,
    tested_at,
    duration_ms,
    digest,
  };
}

/** @param root absolute path of the workspace */
export function openRecordStore(root: string): RecordStore {
  const base = join(root, "records");

  const find = (recordId: string): Located => {
    const found = RECORD_ID.test(recordId)
      ? locateRecords(base).find((one) => one.recordId === recordId)
      : undefined;
    if (found) return found;
    throw new FactoryError("UNKNOWN_RECORD", `there is no record ${JSON.stringify(recordId)}`, {
      fix: "see `factory records list`",
    });
  };

  return {
    keep: (manifestId, bytes, mediaType) =>
      keepEvidence(insideWorkspace(root, `records/${manifestId}`), bytes, mediaType),

    add: async (record) => {
      const validate = await loadRecordCheck();
      if (!validate(record)) {
        const text = (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`).join("; ");
        throw new Error(`a record that does not match its schema was about to be written: ${text}`);
      }
      const path = recordPath(record.manifest_id, record.record_id);
      writeWhole(insideWorkspace(root, path), `${JSON.stringify(record, null, 2)}\n`);
      return path;
    },

    list: async ({ manifestId, status, since, limit }) => {
      const records: RecordSummary[] = [];
      const unreadable: RecordProblem[] = [];
      let total = 0;
      for (const located of locateRecords(base, manifestId)) {
        if (since !== undefined && timeOfRecordId(located.recordId) < since) break;
        try {
          const summary = summarize(await read(located));
          if (status !== undefined && summary.status !== status) continue;
          total += 1;
          if (limit === undefined || records.length < limit) records.push(summary);
        } catch (error) {
          if (!(error instanceof FactoryError)) throw error;
          unreadable.push({ record_id: located.recordId, evidence: "record", what: error.message });
        }
      }
      return { records, total, unreadable };
    },

    get: (recordId) => Promise.resolve().then(() => read(find(recordId))),

    verify: async (recordId) => {
      const problems: RecordProblem[] = [];
      let evidence = 0;
      const all = recordId === undefined ? locateRecords(base) : [find(recordId)];
      for (const located of all) {
        try {
          const record = await read(located);
          for (const [kind, one] of Object.entries(record.evidence)) {
            evidence += 1;
            const what = evidenceProblem(join(base, located.manifestId), one);
            if (what)
              problems.push({ record_id: record.record_id, evidence: kind, what: `${one.path}: ${what}` });
          }
        } catch (error) {
          if (!(error instanceof FactoryError)) throw error;
          problems.push({ record_id: located.recordId, evidence: "record", what: error.message });
        }
      }
      return { checked: all.length, evidence, problems };
    },
  };
}
