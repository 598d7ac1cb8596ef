/**
 * What can be wrong with records, by code; docs/records.md explains each of them, and a test compares the two.
 */
export const PROBLEMS = {
  RECORD_UNREADABLE: "the file cannot be read as a record",
  RECORD_EDITED: "the record does not have the hash that is in its id or its ledger",
  RECORD_UNLISTED: "no ledger names the record",
  RECORD_GONE: "a ledger names the record, but it is missing",
  EVIDENCE_REQUIRED: "the record lacks evidence that such a record has to have",
  EVIDENCE_GONE: "evidence that the record names is missing",
  EVIDENCE_CHANGED: "evidence does not have the hash or size that the record names",
  EVIDENCE_UNREADABLE: "evidence is not a regular file, is behind a link, or cannot be read",
  EVIDENCE_MALFORMED: "evidence is not a document of its kind",
  KEY_MISMATCH: "a key is not the one that follows from the inputs",
  INPUT_MISMATCH: "the record and its evidence name different inputs",
  IMAGE_MISMATCH: "the record and its evidence name different images",
  ORIGINAL_MISMATCH: "the record that it is the repacked image of is not here, or has another image",
  TESTS_MISMATCH: "the tests are not those of the smoke report, or not those that were declared",
  STATUS_MISMATCH: "the verdict is not the one that follows from the evidence",
  TIME_MISMATCH: "the times of the record and its evidence contradict each other",
  LEDGER_GONE: "a later ledger names the ledger, but it is missing",
  LEDGER_EDITED: "the ledger does not begin as a later ledger saw it",
  LEDGER_DAMAGED: "the ledger cannot be read",
  SCAN_CHANGED: "the report of a scan does not have the hash in its name",
  SCAN_MALFORMED: "the file is no report of a scan",
  SCAN_MISMATCH: "the report is about another record, image or SBOM than the one that it lies beside",
  SCAN_UNREADABLE: "the report is not a regular file, is behind a link, or cannot be read",
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong with a record. */
export interface Problem {
  code: ProblemCode;
  /** For people: what differs, or what is missing. */
  what: string;
  /** The kind of evidence that it is about; `record` for the document itself, `ledger` for a ledger, `scan` for a report of a scan. */
  evidence?: string;
}

/** One thing that a verification found. */
export interface RecordProblem extends Problem {
  /** null if it is not about a single record. */
  record_id: string | null;
}
