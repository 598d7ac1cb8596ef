import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import type { Evidence, FactoryRecord } from "../schemas/types.ts";
import type { Problem } from "./problem.ts";
import type { RecordDraft } from "./record-id.ts";
import type { ShelfWatch } from "./shelf.ts";
import type { StoredRecord } from "./stored-record.ts";

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
export interface RecordProblem extends Problem {
  /** null for what is about no single record. */
  record_id: string | null;
}

export interface ListRequest {
  manifestId?: string;
  status?: string;
  /** Milliseconds since 1970: only records that started then or later. */
  since?: number;
  limit?: number;
}

export interface AttemptsRequest extends Partial<ShelfWatch> {
  /** Only records of these manifests; without it, of all. */
  manifestIds?: readonly string[];
}

export interface VerifyRequest {
  /** One record; without it, all, and what their ledgers say. */
  recordId?: string;
  signal?: AbortSignal;
  /** Told how many records were looked at, now and then. */
  onProgress?: (done: number, of: number) => void;
}

export interface Verification {
  /** Records that were looked at, and those of them that have no problem. */
  checked: number;
  verified: number;
  /** Pieces of evidence that were hashed. */
  evidence: number;
  /** Ids of records of an older form, of which only the evidence was hashed. */
  old: string[];
  problems: RecordProblem[];
}

/**
 * The records of a workspace, which are only ever added. Whoever uses them knows nothing of where they lie: a folder is the
 * first kind of store.
 */
export interface RecordStore {
  /** Keeps evidence. @throws FactoryError WRITE_FAILED, FILE_OUTSIDE */
  keep: (manifestId: string, bytes: string | Uint8Array, mediaType: string) => Promise<Evidence>;
  /**
   * Gives a record its id, made of when the attempt began and of what the record says, and writes it whole.
   * @throws FactoryError WRITE_FAILED, FILE_OUTSIDE
   */
  put: (draft: RecordDraft, start: Date) => Promise<FactoryRecord>;
  /** What a record is called for people: a path from the workspace's root. */
  nameOf: (record: { manifest_id: string; record_id: string }) => string;
  /** Newest first. `unreadable` names files that are no records: they are reported, never hidden. */
  list: (
    request: ListRequest,
  ) => Promise<{ records: RecordSummary[]; total: number; unreadable: RecordProblem[] }>;
  /** @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE */
  get: (recordId: string) => Promise<StoredRecord>;
  /** Attempts with a verdict key, the newest first. @param key `sha256:` and 64 hex digits */
  findByVerdictKey: (key: string) => Promise<readonly Attempt[]>;
  /** What the planner asks, for many cells at once. @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE */
  attempts: (request: AttemptsRequest) => Promise<Attempts>;
  /**
   * Computes again all that evidence proves of one record, or of all.
   * @throws FactoryError UNKNOWN_RECORD, INTERRUPTED
   */
  verify: (request?: VerifyRequest) => Promise<Verification>;
}
