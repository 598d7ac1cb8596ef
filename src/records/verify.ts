import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { checkRecord } from "./check.ts";
import { type Ledgers, ledgersIn } from "./ledger.ts";
import { entriesOf, type Located, locateRecords, manifestFolders, recordIdsIn } from "./locate.ts";
import { loadRecordCheck, readRecord } from "./read-record.ts";
import { prunedOf } from "./pruned.ts";
import { originalProblems } from "./repacked-from.ts";
import type { StageRules } from "./proof/prove-result.ts";
import type { RecordProblem } from "./problem.ts";
import type { Verification, VerifyRequest } from "./store.ts";

/** How many records are checked before other work gets its turn and progress is reported. */
export const VERIFY_BATCH = 32;

/** What is wrong with a manifest's records as a whole: its ledgers, and missing records. */
function wholeProblems(base: string, manifestId: string, ledgers: Ledgers): RecordProblem[] {
  const there = new Set(recordIdsIn(base, manifestId));
  const gone = [...ledgers.done].filter((id) => !there.has(id)).sort(compareText);
  return [
    ...ledgers.problems.map(({ code, what }) => ({
      record_id: null,
      code,
      what: `records/${manifestId}/${what}`,
      evidence: "ledger",
    })),
    ...gone.map((record_id): RecordProblem => ({
      record_id,
      code: "RECORD_GONE",
      what: `a ledger of ${manifestId} names it, but it is missing`,
      evidence: "record",
    })),
  ];
}

/** Problems for links in place of folders: the records that they lead to do not count. */
function linkProblems(base: string): RecordProblem[] {
  return entriesOf(base)
    .filter((entry) => entry.isSymbolicLink())
    .map(({ name }) => ({
      record_id: null,
      code: "RECORD_UNREADABLE",
      what: `records/${name} is a link, so its records do not count`,
      evidence: "record",
    }));
}

/**
 * Checks one record, or all and their ledgers.
 * @param base real path of the folder `records`; undefined if there is none
 * @throws FactoryError INTERRUPTED; FILE_UNREADABLE if they cannot be listed
 */
export async function verifyRecords(
  base: string | undefined,
  one: Located | undefined,
  { signal, onProgress = () => undefined }: VerifyRequest,
  rules: StageRules,
): Promise<Verification> {
  const outcome: Verification = { checked: 0, verified: 0, evidence: 0, old: [], pruned: [], problems: [] };
  if (base === undefined) return outcome;
  const { problems, old } = outcome;
  const all = one ? [one] : locateRecords(base);
  const ledgers = ledgersIn(base);
  const plain = new Set<string>();
  const check = await loadRecordCheck();
  for (const [at, located] of all.entries()) {
    if (at % VERIFY_BATCH === 0) {
      if (at > 0) onProgress(at, all.length);
      await new Promise((done) => setImmediate(done));
      if (signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while verifying records");
    }
    const { manifestId, recordId } = located;
    outcome.checked += 1;
    try {
      const { record, sha256 } = readRecord(located, check);
      outcome.evidence += Object.keys(record.evidence).length;
      if (record.schema_version === 1) old.push(recordId);
      const reread = () => ledgers(manifestId, true);
      const place = { folder: join(base, manifestId), ledgers: ledgers(manifestId), reread, plain, rules };
      const found = checkRecord(record, sha256, place);
      found.push(...originalProblems(base, record, check));
      const gone = prunedOf(ledgers(manifestId), recordId, sha256);
      if (gone) outcome.pruned.push({ record_id: recordId, at: gone.at });
      else if (found.length === 0) outcome.verified += 1;
      for (const { code, what, evidence = "record" } of found)
        problems.push({ record_id: recordId, code, what, evidence });
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      problems.push({
        record_id: recordId,
        code: "RECORD_UNREADABLE",
        what: error.message,
        evidence: "record",
      });
    }
  }
  if (!one) {
    problems.push(...linkProblems(base));
    for (const name of manifestFolders(base)) problems.push(...wholeProblems(base, name, ledgers(name)));
  }
  return outcome;
}
