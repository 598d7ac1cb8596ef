/**
 * What can be wrong with records, by code; docs/records.md explains each of them, and a test holds the two to each other.
 */
export const PROBLEMS = {
  RECORD_UNREADABLE: "no record can be read from the file",
  RECORD_EDITED: "the record is not the one that its id, or its ledger, has the hash of",
  RECORD_UNLISTED: "no ledger names the record",
  RECORD_GONE: "a ledger names the record, and it is not there",
  EVIDENCE_REQUIRED: "evidence that such a record has to have is not named in it",
  EVIDENCE_GONE: "evidence that the record names is not there",
  EVIDENCE_CHANGED: "evidence is not the bytes that the record names",
  EVIDENCE_UNREADABLE: "evidence is no regular file, lies behind a link, or cannot be read",
  EVIDENCE_MALFORMED: "evidence is no document of its kind",
  KEY_MISMATCH: "a key is not the one that the inputs come to",
  INPUT_MISMATCH: "the record names another input than its evidence",
  IMAGE_MISMATCH: "the record names another image than its evidence",
  TESTS_MISMATCH: "the tests are not those of the smoke report, or not those that were declared",
  STATUS_MISMATCH: "the verdict is not the one that the evidence comes to",
  TIME_MISMATCH: "the times of the record and its evidence contradict each other",
  LEDGER_GONE: "a later ledger names the ledger, and it is not there",
  LEDGER_EDITED: "the ledger does not begin as a later ledger has seen it",
  LEDGER_DAMAGED: "the ledger cannot be read",
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong with a record. */
export interface Problem {
  code: ProblemCode;
  /** For people: what differs, or what is missing. */
  what: string;
  /** The kind of evidence that it is about; `record` for the document itself, `ledger` for a ledger. */
  evidence?: string;
}
