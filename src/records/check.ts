import type { Ledgers } from "./ledger.ts";
import { type EvidencePlace, inspectEvidence } from "./evidence.ts";
import type { Problem } from "./problem.ts";
import { ownProblems, proofProblems, READ_KINDS } from "./proof/proof.ts";
import type { Proven } from "./proven.ts";
import { prunedOf, STAYING_KINDS } from "./pruned.ts";
import type { StageRules } from "./proof/prove-result.ts";
import type { StoredRecord } from "./stored-record.ts";

/** What a check of records shares. */
export interface CheckPlace extends EvidencePlace {
  ledgers: Ledgers;
  /** Reads them again: evidence may be pruned while records are checked. */
  reread?: () => Ledgers;
  rules: StageRules;
  /** Records that were already proven by their evidence; without it, all of them are checked now. */
  proven?: Proven;
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
        what: "no ledger names it; if the records were copied, copy their ledgers too",
      },
    ];
  if (entry.sha256 === sha256 && `sha256:${entry.verdict_key}` === verdict_key) return [];
  return [
    { code: "RECORD_EDITED", what: `the file hashes to ${sha256}, but its ledger has ${entry.sha256}` },
  ];
}

/**
 * What is wrong with a record: with itself, with its place in the store, with its evidence, and what it claims beyond what
 * that proves. For a record of the old form only the evidence is hashed: nothing else in it can be computed again. Evidence that
 * a ledger says was pruned may be missing: what it proved is not computed then, and all else is.
 * @param sha256 of the record's file, 64 hex digits
 */
export function checkRecord(record: StoredRecord, sha256: string, place: CheckPlace): Problem[] {
  const { rules, proven } = place;
  let { ledgers } = place;
  const changed: Problem[] = [];
  const read = new Map<string, Buffer>();
  const known = proven?.has(sha256) ?? false;
  let pruned = prunedOf(ledgers, record.record_id, sha256);
  const absent = new Set<string>();
  for (const [kind, evidence] of Object.entries(record.evidence)) {
    const inspected = inspectEvidence(place, kind, evidence, !known && READ_KINDS.has(kind));
    if ("problem" in inspected) {
      const isGone = inspected.problem.code === "EVIDENCE_GONE" && !STAYING_KINDS.has(kind);
      if (isGone && place.reread && !pruned?.evidence.has(evidence.sha256)) {
        ledgers = place.reread();
        pruned = prunedOf(ledgers, record.record_id, sha256);
      }
      if (isGone && pruned?.evidence.has(evidence.sha256)) absent.add(kind);
      else changed.push(inspected.problem);
    } else if (inspected.bytes) read.set(kind, inspected.bytes);
  }
  if (record.schema_version === 1) return changed;
  const listed = ledgerProblems(record, sha256, ledgers);
  if (known) return [...listed, ...changed];
  const claims = [...ownProblems(record, rules), ...proofProblems(record, read, rules, absent)];
  if (changed.length === 0 && claims.length === 0 && !pruned) proven?.add(sha256);
  return [...listed, ...changed, ...claims];
}
