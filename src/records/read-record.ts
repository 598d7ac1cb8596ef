import { type RegularFile, readRegular } from "../files/read-regular.ts";
import { sha256Hex } from "../model/digest.ts";
import { type Located, unreadableRecord } from "./locate.ts";
import type { StoredRecord } from "./stored-record.ts";

/** Why a document is not a record of its form; null if it is one. */
export type RecordCheck = (document: unknown) => string | null;

/** Checks a record against the schema of its form. The check takes milliseconds to load, so it is loaded when it is needed. */
export async function loadRecordCheck(): Promise<RecordCheck> {
  const { record, record_1 } = await import("../schemas/record-validator.js");
  return (document) => {
    const version = (document as { schema_version?: unknown } | null)?.schema_version;
    const check = version === 1 ? record_1 : record;
    if (check(document)) return null;
    const [first] = check.errors ?? [];
    return `${first?.instancePath || "/"} ${first?.message ?? ""}`;
  };
}

/**
 * The record in a file's bytes.
 * @param check null for bytes that were checked before
 * @throws FactoryError RECORD_UNREADABLE
 */
export function parseRecord(located: Located, bytes: Buffer, check: RecordCheck | null): StoredRecord {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw unreadableRecord(located, "cannot be read", error);
  }
  const problem = check?.(document) ?? null;
  if (problem !== null) throw unreadableRecord(located, `is not a record: ${problem}`);
  const record = document as StoredRecord;
  if (record.record_id !== located.recordId || record.manifest_id !== located.manifestId)
    throw unreadableRecord(located, "has another id than its file");
  return record;
}

/** A record's file, read without following a link; undefined if there is none. @throws FactoryError RECORD_UNREADABLE */
export function readRecordFile(located: Located): RegularFile | undefined {
  let file: RegularFile | undefined;
  try {
    file = readRegular(located.file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unreadableRecord(located, code === "ELOOP" ? "is a link" : `cannot be read (${code})`, error);
  }
  if (!file) throw unreadableRecord(located, "is not a regular file");
  return file;
}

/** Reads and checks one record. `sha256` is of its file. @throws FactoryError RECORD_UNREADABLE */
export function readRecord(located: Located, check: RecordCheck): { record: StoredRecord; sha256: string } {
  const file = readRecordFile(located);
  if (!file) throw unreadableRecord(located, "is gone");
  return { record: parseRecord(located, file.bytes, check), sha256: sha256Hex(file.bytes) };
}
