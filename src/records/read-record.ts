import type { FactoryRecord } from "../schemas/types.ts";
import type { Validate } from "../schemas/validators.js";
import { type Located, unreadableRecord } from "./locate.ts";
import { type RegularFile, readRegular } from "../files/read-regular.ts";

/** The check of a record against its schema. It takes milliseconds to load, so it is loaded where a record is to be checked. */
export async function loadRecordCheck(): Promise<Validate> {
  return (await import("../schemas/record-validator.js")).record;
}

/**
 * The record in a file's bytes.
 * @param check null for bytes that were checked before
 * @throws FactoryError RECORD_UNREADABLE
 */
export function parseRecord(located: Located, bytes: Buffer, check: Validate | null): FactoryRecord {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw unreadableRecord(located, "cannot be read", error);
  }
  if (check && !check(document)) {
    const [first] = check.errors ?? [];
    throw unreadableRecord(located, `is not a record: ${first?.instancePath || "/"} ${first?.message ?? ""}`);
  }
  const record = document as FactoryRecord;
  if (record.record_id !== located.recordId || record.manifest_id !== located.manifestId)
    throw unreadableRecord(located, "names another record than its file does");
  return record;
}

/** A record's file, read without following a link; undefined where there is none. @throws FactoryError RECORD_UNREADABLE */
export function readRecordFile(located: Located): RegularFile | undefined {
  let file: RegularFile | undefined;
  try {
    file = readRegular(located.file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw unreadableRecord(located, code === "ELOOP" ? "is a link" : `cannot be read (${code})`, error);
  }
  if (!file) throw unreadableRecord(located, "is no regular file");
  return file;
}
