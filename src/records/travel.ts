import { existsSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { writeWhole } from "../files/write-whole.ts";
import { sha256Hex } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import type { Evidence, FactoryRecord } from "../schemas/types.ts";
import { inspectEvidence, keepEvidence, keepIfGone } from "./evidence.ts";
import type { Ledgers, LedgerWriter } from "./ledger.ts";
import { type Located, recordPath } from "./locate.ts";
import { folderFor } from "./place.ts";
import type { Problem } from "./problem.ts";
import { prunedOf } from "./pruned.ts";
import type { StageRules } from "./proof/prove-result.ts";
import { ownProblems, proofProblems, READ_KINDS } from "./proof/proof.ts";
import { parseRecord, type RecordCheck, readRecordFile } from "./read-record.ts";
import { contentHash } from "./record-id.ts";

/** A record with all that belongs to it. */
export interface WholeRecord {
  record: FactoryRecord;
  /** The bytes of its file. */
  text: Buffer;
  /** When its evidence was pruned, as far as it was: it proves nothing any more, and cannot travel. */
  pruned?: string;
  /** The bytes of a piece of evidence. @throws FactoryError EVIDENCE_LOST if it is not what the record says */
  evidence: (piece: Evidence) => Buffer;
}

/**
 * Reads a record's file as it is; null for one of the old form, which has nothing that could be checked elsewhere.
 * @throws FactoryError RECORD_UNREADABLE
 */
export function readWhole(located: Located, check: RecordCheck, ledgers: Ledgers): WholeRecord | null {
  const file = readRecordFile(located);
  if (!file) return null;
  const record = parseRecord(located, file.bytes, check);
  if (record.schema_version !== 2) return null;
  const folder = join(located.file, "..");
  const plain = new Set<string>();
  const pruned = prunedOf(ledgers, record.record_id, sha256Hex(file.bytes));
  return {
    record,
    ...(pruned && { pruned: pruned.at }),
    text: file.bytes,
    evidence: (piece) => {
      const found = inspectEvidence({ folder, plain }, "evidence", piece, true);
      if ("bytes" in found && found.bytes) return found.bytes;
      const where = { file: recordPath(located.manifestId, located.recordId) };
      if (pruned?.evidence.has(piece.sha256))
        throw new FactoryError(
          "EVIDENCE_LOST",
          `the record ${record.record_id} proves nothing: its evidence was pruned on ${pruned.at.slice(0, 10)}`,
          { where, fix: "run the cell again" },
        );
      const why = "problem" in found ? found.problem.what : "it cannot be read";
      throw new FactoryError("EVIDENCE_LOST", `the record ${record.record_id} cannot travel: ${why}`, {
        where,
        fix: "restore it from version control or from the CI artifact; see `factory records verify`",
      });
    },
  };
}

/** Why bytes are not the record of an id; null if they are. */
export function foreignProblem(text: Buffer, recordId: string, check: RecordCheck): string | null {
  let record: FactoryRecord;
  try {
    record = JSON.parse(text.toString("utf8")) as FactoryRecord;
  } catch {
    return "it is not JSON";
  }
  const problem = check(record);
  if (problem !== null) return problem;
  if (record.schema_version !== 2) return "it has an old form";
  if (record.record_id !== recordId) return `it is ${quoted(record.record_id)}`;
  return recordId.endsWith(`-${contentHash(record)}`) ? null : "its contents do not have the hash in its id";
}

/**
 * What a record from elsewhere claims beyond what its evidence proves.
 * @param evidence by sha256, all that the record names: the bytes have these hashes
 */
export function foreignClaims(
  record: FactoryRecord,
  evidence: ReadonlyMap<string, Uint8Array>,
  rules: StageRules,
): Problem[] {
  const read = new Map<string, Buffer>();
  for (const [kind, piece] of Object.entries(record.evidence) as [string, Evidence | undefined][]) {
    const bytes = piece && evidence.get(piece.sha256);
    if (bytes && READ_KINDS.has(kind)) read.set(kind, Buffer.from(bytes));
  }
  return [...ownProblems(record, rules), ...proofProblems(record, read, rules)];
}

/**
 * Writes a record that came from elsewhere, with its evidence before it. One that is there stays as it is.
 * @param text checked by `foreignProblem`
 * @param evidence by sha256, all that the record names
 * @returns whether it was written
 * @throws FactoryError RECORD_CONFLICT if another record of that id is there; WRITE_FAILED, FILE_OUTSIDE
 */
export function takeRecord(
  root: string,
  { text, evidence }: { text: Buffer; evidence: ReadonlyMap<string, Uint8Array> },
  ledgerFor: (folder: string, manifestId: string) => LedgerWriter,
): boolean {
  const record = JSON.parse(text.toString("utf8")) as FactoryRecord;
  const { manifest_id, record_id, verdict_key } = record;
  const folder = folderFor(root, manifest_id);
  const file = join(folder, `${record_id}.json`);
  if (existsSync(file)) {
    const there = readRecordFile({ manifestId: manifest_id, recordId: record_id, file });
    if (there?.bytes.equals(text)) return false;
    throw new FactoryError("RECORD_CONFLICT", `another record ${record_id} is here already`, {
      where: { file: recordPath(manifest_id, record_id) },
      fix: "one of the two was edited: see `factory records verify`",
    });
  }
  const pieces = Object.values(record.evidence) as (Evidence | undefined)[];
  for (const piece of pieces) {
    if (!piece) continue;
    const bytes = evidence.get(piece.sha256);
    if (!bytes || bytes.length !== piece.bytes || sha256Hex(bytes) !== piece.sha256)
      throw new Error(`the evidence ${piece.sha256} of ${record_id} was to be there, and is not`);
    const kept = keepEvidence(folder, bytes, piece.media_type);
    if (kept.path !== piece.path)
      throw new FactoryError(
        "REMOTE_CONTENT",
        `the record ${record_id} keeps evidence at ${quoted(piece.path)}`,
        {
          fix: "nothing of it was used; see who else writes to that repository",
        },
      );
  }
  const ledger = ledgerFor(folder, manifest_id);
  ledger.put({ record_id, sha256: sha256Hex(text), verdict_key: verdict_key.slice("sha256:".length) });
  writeWhole(file, text);
  // Pruning that began before may have taken what was here already: from now on it sees the record.
  for (const piece of pieces) {
    const bytes = piece && evidence.get(piece.sha256);
    if (bytes) keepIfGone(folder, piece, bytes);
  }
  ledger.done(record_id);
  return true;
}
