import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../src/files/write-whole.ts";
import { sha256Hex } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { contentHash } from "../../src/records/record-id.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";

export type Change = (record: FactoryRecord) => void;

export const readRecord = (root: string, path: string) =>
  JSON.parse(readFileSync(join(root, path), "utf8")) as FactoryRecord;

/** Edits a record in its file, as somebody with an editor would. */
export function editRecord(root: string, path: string, change: Change): void {
  const record = readRecord(root, path);
  const before = JSON.stringify(record);
  change(record);
  if (JSON.stringify(record) === before) throw new Error("nothing changed");
  writeFileSync(join(root, path), `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * Edits a record, gives it the id that goes with what it says now, and has its ledger say so too: whoever does this knows all
 * that is in the folder.
 * @returns the path of the new file
 */
export function forgeRecord(root: string, path: string, change: Change): string {
  editRecord(root, path, change);
  const record = readRecord(root, path);
  const old = record.record_id;
  const [stamp = ""] = old.split("-");
  record.record_id = `${stamp}-${contentHash(record)}`;
  const text = `${JSON.stringify(record, null, 2)}\n`;
  const forged = join("records", record.manifest_id, `${record.record_id}.json`);
  renameSync(join(root, path), join(root, forged));
  writeFileSync(join(root, forged), text);
  const folder = join(root, "records", record.manifest_id, "ledger");
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), "utf8").split("\n");
    const told = lines.map((line) => {
      if (line.startsWith(`{"put":"${old}`))
        return `{"put":"${record.record_id}","sha256":"${sha256Hex(text)}","verdict_key":"${record.verdict_key.slice(7)}"}`;
      return line.replaceAll(old, record.record_id);
    });
    writeFileSync(join(folder, name), told.join("\n"));
  }
  return forged;
}

/** Replaces a piece of evidence by another text, which the record then names. */
export function swapEvidence(root: string, kind: string, text: string): Change {
  return (record) => {
    const sha256 = sha256Hex(text);
    const path = `evidence/sha256/${sha256.slice(0, 2)}/${sha256}`;
    const old = record.evidence[kind];
    if (!old) throw new Error(`there is no ${kind}`);
    const folder = join(root, "records", record.manifest_id);
    writeWhole(join(folder, path), text);
    record.evidence[kind] = { ...old, path, sha256, bytes: Buffer.byteLength(text) };
  };
}

/** The codes of all problems of a workspace's records, each once, sorted. */
export async function codesOf(root: string): Promise<string[]> {
  const { problems } = await openStore(root).verify();
  return [...new Set<string>(problems.map(({ code }) => code))].sort();
}
