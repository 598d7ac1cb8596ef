import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { deleteAside, isAside, putBack, setAside } from "../files/set-aside.ts";
import type { Evidence } from "../schemas/types.ts";
import { checkRecord } from "./check.ts";
import { evidenceOf, evidencePath } from "./evidence.ts";
import { type Ledgers, newLedgerName, openLedgerWriter, readLedgers } from "./ledger.ts";
import { entriesOf, locateRecords, manifestFolders, recordAt, recordIdsIn } from "./locate.ts";
import { ifThere, placeOf } from "./place.ts";
import type { StageRules } from "./proof/prove-result.ts";
import { type Pruned, prunedOf } from "./pruned.ts";
import { loadRecordCheck, type RecordCheck, readRecord } from "./read-record.ts";
import type { StoredRecord } from "./stored-record.ts";

/** A record, and what is known about its evidence. */
export interface RecordOnDisk {
  record: StoredRecord;
  /** Of its file, 64 hex digits. */
  sha256: string;
  /** What was pruned of it before; null if nothing was. */
  pruned: Pruned | null;
}

/** All records of a workspace, each of which can be read. */
export interface RecordsOnDisk {
  /** Real path of the folder `records`. */
  base: string;
  records: RecordOnDisk[];
  ledgers: ReadonlyMap<string, Ledgers>;
}

/** What goes of one record's evidence. */
export interface GoingRecord {
  own: RecordOnDisk;
  /** Each content once. */
  pieces: readonly Evidence[];
}

function unresolved(what: string, fix = "see `factory records verify`"): FactoryError {
  return new FactoryError("PRUNE_UNRESOLVED", what, { fix: `nothing was deleted; ${fix}` });
}

/**
 * Reads every record of a workspace.
 * @param root absolute path of the workspace
 * @returns null if there are none
 * @throws FactoryError PRUNE_UNRESOLVED where something cannot be read: it is not known what that needs; FILE_OUTSIDE
 */
export async function readRecordsOnDisk(root: string): Promise<RecordsOnDisk | null> {
  const base = placeOf(root)?.base;
  if (base === undefined) return null;
  const check = await loadRecordCheck();
  const link = entriesOf(base).find((entry) => entry.isSymbolicLink());
  if (link) throw unresolved(`records/${link.name} is a link, so it is not known what it needs`);
  const ledgers = new Map<string, Ledgers>();
  for (const manifestId of manifestFolders(base)) {
    const own = readLedgers(join(base, manifestId), manifestId);
    const damaged = own.problems.find(({ code }) => code === "LEDGER_DAMAGED");
    if (damaged) throw unresolved(`records/${manifestId}/${damaged.what}`);
    ledgers.set(manifestId, own);
  }
  const records = locateRecords(base).map((located): RecordOnDisk => {
    try {
      const { record, sha256 } = readRecord(located, check);
      const own = ledgers.get(located.manifestId);
      return { record, sha256, pruned: own ? prunedOf(own, located.recordId, sha256) : null };
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      throw unresolved(`it is not known what evidence a record needs: ${error.message}`);
    }
  });
  return { base, records, ledgers };
}

/** Why a record's evidence has to stay: it is not what the record says, which its deletion would hide. null if it is. */
export function whyItStays(
  { record, sha256 }: RecordOnDisk,
  { base, ledgers }: RecordsOnDisk,
  { rules, plain }: { rules: StageRules; plain: Set<string> },
): string | null {
  const own = ledgers.get(record.manifest_id);
  if (!own) return "it has no ledger";
  const odd = (Object.values(record.evidence) as (Evidence | undefined)[]).some(
    (piece) => piece && piece.path !== evidencePath(piece.sha256),
  );
  if (odd) return "it names evidence at another place";
  const folder = join(base, record.manifest_id);
  const [first] = checkRecord(record, sha256, { folder, ledgers: own, plain, rules });
  return first ? `${first.code}: ${first.what}` : null;
}

/** Whether a file was there before a moment, and not written again since. */
function isOlder(file: string, at: string): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && stats.mtimeMs < Date.parse(at);
}

/** Puts back what an interrupted pruning set aside: it is needed, or goes with the others. */
function putAllBack(folder: string, lines: Ledgers["pruned"]): void {
  for (const { evidence } of [...lines.values()].flat())
    for (const hex of evidence) {
      const file = join(folder, evidencePath(hex));
      if (isAside(file) && !existsSync(file)) putBack(file);
    }
}

/** The sha256 of all evidence of records that were written meanwhile; null if one of them cannot be read. */
function newlyNeeded(
  base: string,
  manifestId: string,
  known: ReadonlySet<string>,
  check: RecordCheck,
): Set<string> | null {
  const needed = new Set<string>();
  for (const id of recordIdsIn(base, manifestId)) {
    if (known.has(id)) continue;
    try {
      const { record } = readRecord(recordAt(base, manifestId, id), check);
      for (const { sha256 } of evidenceOf(record)) needed.add(sha256);
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      return null;
    }
  }
  return needed;
}

/**
 * Deletes evidence of a manifest's records. The ledger says so before any file goes, so that a process which is killed at any moment
 * leaves records that verify. A file first gets another name; then records that were written meanwhile are looked for, and what
 * they name gets its own name back: whoever writes a record looks whether its evidence is there after the record is.
 * @param chosen all of one manifest, and `left` what an interrupted pruning may have left of others
 * @param at ISO 8601, UTC
 * @throws FactoryError WRITE_FAILED; FILE_OUTSIDE for evidence behind a link
 */
export async function pruneEvidence(
  { base, records, ledgers }: RecordsOnDisk,
  manifestId: string,
  { chosen, left }: { chosen: readonly GoingRecord[]; left: readonly GoingRecord[] },
  at: string,
): Promise<void> {
  const folder = join(base, manifestId);
  const check = await loadRecordCheck();
  putAllBack(folder, ledgers.get(manifestId)?.pruned ?? new Map());
  const fileOf = ({ sha256 }: Evidence) => join(folder, evidencePath(sha256));
  const old = left.flatMap(({ own, pieces }) =>
    pieces.filter((piece) => isOlder(fileOf(piece), own.pruned?.at ?? "")),
  );
  const all = [...old, ...chosen.flatMap(({ pieces }) => pieces)];
  const files = new Map(all.map((piece) => [piece.sha256, fileOf(piece)]));
  if (files.size === 0) return;
  for (const above of new Set([...files.values()].map((file) => dirname(file))))
    if ((ifThere(above, () => realpathSync.native(above)) ?? above) !== above)
      throw new FactoryError("FILE_OUTSIDE", `${above} is behind a link`, {
        fix: "replace the link with the folder itself",
      });
  const known = new Set(
    records.flatMap(({ record }) => (record.manifest_id === manifestId ? [record.record_id] : [])),
  );
  const lines = chosen.map(({ own: { record, sha256 }, pieces }) => ({
    record_id: record.record_id,
    sha256,
    at,
    evidence: pieces.map((piece) => piece.sha256),
  }));
  if (lines.length > 0) openLedgerWriter(folder, manifestId, newLedgerName).prune(lines);
  for (const file of files.values()) setAside(file);
  const needed = newlyNeeded(base, manifestId, known, check);
  for (const [hex, file] of files)
    if (needed === null || needed.has(hex)) putBack(file);
    else deleteAside(file);
}
