import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { writeWhole } from "../files/write-whole.ts";
import { sha256Hex } from "../model/digest.ts";
import { openAttempts } from "./attempts.ts";
import { evidenceOf, keepEvidence, keepIfGone } from "./evidence.ts";
import { ledgersIn, type LedgerWriter, newLedgerName, openLedgerWriter } from "./ledger.ts";
import { type Located, locateRecord, locateRecords, recordPath } from "./locate.ts";
import { listRecords } from "./list-records.ts";
import { folderFor, placeOf } from "./place.ts";
import { loadRecordCheck, readRecord } from "./read-record.ts";
import { RECORD_ID, recordId, wellFormed } from "./record-id.ts";
import type { StageRules } from "./proof/prove-result.ts";
import type { RecordStore } from "./store.ts";
import { foreignClaims, foreignProblem, readWhole, takeRecord } from "./travel.ts";
import { verifyRecords } from "./verify.ts";

/**
 * The records in a workspace's folder `records`.
 * @param root absolute path of the workspace
 * @param rules gives what the stages of an attempt leave; called when a record is checked against its evidence
 */
export function openFolderStore(root: string, rules: () => Promise<StageRules>): RecordStore {
  const ledgers = new Map<string, LedgerWriter>();
  /** Evidence of records to come that was here already, by its file. */
  const shared = new Map<string, Uint8Array>();

  const ledgerFor = (folder: string, manifestId: string): LedgerWriter => {
    const ledger = ledgers.get(manifestId) ?? openLedgerWriter(folder, manifestId, newLedgerName);
    ledgers.set(manifestId, ledger);
    return ledger;
  };

  /** @throws FactoryError UNKNOWN_RECORD */
  const find = (recordId: string): Located => {
    const base = RECORD_ID.test(recordId) ? placeOf(root)?.base : undefined;
    const found = base === undefined ? undefined : locateRecord(base, recordId);
    if (found) return found;
    throw new FactoryError("UNKNOWN_RECORD", `there is no record ${JSON.stringify(recordId)}`, {
      fix: "see `factory records list`",
    });
  };

  return {
    keep: (manifestId, bytes, mediaType) =>
      Promise.resolve().then(() => {
        const folder = folderFor(root, manifestId);
        // Pruning may still take what is of an old record too: then the record that names it brings it back.
        return keepEvidence(folder, bytes, mediaType, (file, data) => void shared.set(file, data));
      }),

    put: async (given, start) => {
      const draft = wellFormed(given);
      const record = { ...draft, record_id: recordId(start, draft) };
      const check = await loadRecordCheck();
      const problem = check(record);
      if (problem !== null)
        throw new Error(`a record that does not match its schema was about to be written: ${problem}`);
      const { manifest_id, record_id, verdict_key } = record;
      const folder = folderFor(root, manifest_id);
      const text = `${JSON.stringify(record, null, 2)}\n`;
      const ledger = ledgerFor(folder, manifest_id);
      ledger.put({ record_id, sha256: sha256Hex(text), verdict_key: verdict_key.slice("sha256:".length) });
      writeWhole(join(folder, `${record_id}.json`), text);
      for (const piece of evidenceOf(record)) {
        const bytes = shared.get(join(folder, piece.path));
        if (!bytes) continue;
        keepIfGone(folder, piece, bytes);
        shared.delete(join(folder, piece.path));
      }
      ledger.done(record_id);
      return record;
    },

    nameOf: ({ manifest_id, record_id }) => recordPath(manifest_id, record_id),

    list: (request, watch) => listRecords(root, request, watch),

    get: async (id) => {
      const located = find(id);
      return readRecord(located, await loadRecordCheck()).record;
    },

    findByVerdictKey: async (key) => (await openAttempts(root, rules)).withVerdictKey(key),

    attempts: (request) => openAttempts(root, rules, request),

    verify: async (request = {}) => {
      const place = placeOf(root);
      const one = request.recordId === undefined ? undefined : find(request.recordId);
      return verifyRecords(place?.base, one, request, await rules());
    },

    all: async (manifestId) => {
      const base = placeOf(root)?.base;
      const check = await loadRecordCheck();
      if (base === undefined) return [];
      const ledgersOf = ledgersIn(base);
      return locateRecords(base, manifestId).map((located) => ({
        record_id: located.recordId,
        read: () => Promise.resolve().then(() => readWhole(located, check, ledgersOf(located.manifestId))),
      }));
    },

    foreign: async (text, recordId) => foreignProblem(text, recordId, await loadRecordCheck()),

    claims: async (record, evidence) => foreignClaims(record, evidence, await rules()),

    take: (whole) => Promise.resolve().then(() => takeRecord(root, whole, ledgerFor)),
  };
}
