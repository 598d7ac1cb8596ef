import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import type { Evidence, FactoryRecord } from "../schemas/types.ts";
import type { ListRequest, RecordList } from "./list-request.ts";
import type { Problem, RecordProblem } from "./problem.ts";
import type { RecordDraft } from "./record-id.ts";
import type { ShelfWatch } from "./shelf.ts";
import type { WholeRecord } from "./travel.ts";
import type { StoredRecord } from "./stored-record.ts";

export interface AttemptsRequest extends Partial<ShelfWatch> {
  /** Only records of these manifests; default: of all. */
  manifestIds?: readonly string[];
}

export interface VerifyRequest {
  /** One record; default: all, and their ledgers. */
  recordId?: string;
  signal?: AbortSignal;
  /** Called now and then with the number of records that were checked. */
  onProgress?: (done: number, of: number) => void;
}

export interface Verification {
  /** The number of records that were checked, and of those without a problem. */
  checked: number;
  verified: number;
  /** Pieces of evidence that were hashed. */
  evidence: number;
  /** Ids of records of an older form, of which only the evidence was hashed. */
  old: string[];
  /** Records of which evidence was deleted on purpose, and when: they prove nothing any more, and are none of `verified`. */
  pruned: { record_id: string; at: string }[];
  problems: RecordProblem[];
}

/**
 * The records of a workspace, which are only ever added. Users of this interface do not know where they are kept: a folder
 * is the first kind of store.
 */
export interface RecordStore {
  /** Keeps evidence. @throws FactoryError WRITE_FAILED, FILE_OUTSIDE */
  keep: (manifestId: string, bytes: string | Uint8Array, mediaType: string) => Promise<Evidence>;
  /**
   * Gives a record its id, from the time when the attempt began and from its contents, and writes it whole.
   * @throws FactoryError WRITE_FAILED, FILE_OUTSIDE
   */
  put: (draft: RecordDraft, start: Date) => Promise<FactoryRecord>;
  /** The name of a record for people: a path from the workspace's root. */
  nameOf: (record: { manifest_id: string; record_id: string }) => string;
  /** Newest first, unless another order is asked for. @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE */
  list: (request: ListRequest, watch?: Partial<ShelfWatch>) => Promise<RecordList>;
  /** @throws FactoryError UNKNOWN_RECORD, RECORD_UNREADABLE */
  get: (recordId: string) => Promise<StoredRecord>;
  /** Attempts with a verdict key, newest first. @param key `sha256:` and 64 hex digits */
  findByVerdictKey: (key: string) => Promise<readonly Attempt[]>;
  /** What the planner asks, for many cells at once. @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE */
  attempts: (request: AttemptsRequest) => Promise<Attempts>;
  /**
   * Computes again everything that evidence proves, for one record or for all.
   * @throws FactoryError UNKNOWN_RECORD, INTERRUPTED
   */
  verify: (request?: VerifyRequest) => Promise<Verification>;
  /** All records, for travelling. `read` gives null for one that is gone, or of the old form. @throws FactoryError RECORD_UNREADABLE */
  all: (
    manifestId?: string,
  ) => Promise<readonly { record_id: string; read: () => Promise<WholeRecord | null> }[]>;
  /** Why the bytes of a file are not the record of an id; null if they are. */
  foreign: (text: Buffer, recordId: string) => Promise<string | null>;
  /** What a record claims beyond what its evidence proves. @param evidence by sha256, with these hashes @param record checked by `foreign` */
  claims: (record: FactoryRecord, evidence: ReadonlyMap<string, Uint8Array>) => Promise<Problem[]>;
  /**
   * Takes a record that came from elsewhere, with its evidence by sha256. @param whole checked by `foreign`
   * @returns whether it was not there before @throws FactoryError RECORD_CONFLICT, WRITE_FAILED, FILE_OUTSIDE
   */
  take: (whole: { text: Buffer; evidence: ReadonlyMap<string, Uint8Array> }) => Promise<boolean>;
}
