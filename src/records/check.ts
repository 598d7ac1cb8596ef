import type { Ledgers } from "./ledger.ts";
import { type EvidencePlace, inspectEvidence } from "./evidence.ts";
import type { Problem } from "./problem.ts";
import { ownProblems, proofProblems, READ_KINDS } from "./proof/proof.ts";
import type { StageRules } from "./proof/prove-result.ts";
import type { StoredRecord } from "./stored-record.ts";

/** Where a record is checked. */
export interface CheckPlace extends EvidencePlace {
  ledgers: Ledgers;
  rules: StageRules;
}

function ledgerProblems(
  { record_id, verdict_key }: StoredRecord,
  sha256: string,
  { entries }: Ledgers,
): Problem[] {
  const entry = entries.get(record_id);
  if (!entry)
    return [
      {
        code: "RECORD_UNLISTED",
        what: "no ledger names it: the ledgers belong beside the records, copy them too",
      },
    ];
  if (entry.sha256 === sha256 && `sha256:${entry.verdict_key}` === verdict_key) return [];
  return [
    { code: "RECORD_EDITED", what: `the file hashes to ${sha256}, and its ledger has ${entry.sha256}` },
  ];
}

/**
 * What is wrong with a record: with itself, with its place in the store, with its evidence, and where it claims more than that
 * proves. Of a record of the old form only the evidence is hashed: it says nothing that could be computed again.
 * @param sha256 of the record's file, 64 hex digits
 */
export function checkRecord(record: StoredRecord, sha256: string, place: CheckPlace): Problem[] {
  const problems: Problem[] = [];
  const read = new Map<string, Buffer>();
  for (const [kind, evidence] of Object.entries(record.evidence)) {
    const inspected = inspectEvidence(place, kind, evidence, READ_KINDS.has(kind));
    if ("problem" in inspected) problems.push(inspected.problem);
    else if (inspected.bytes) read.set(kind, inspected.bytes);
  }
  if (record.schema_version === 1) return problems;
  return [
    ...ownProblems(record, place.rules),
    ...ledgerProblems(record, sha256, place.ledgers),
    ...problems,
    ...proofProblems(record, read, place.rules),
  ];
}
