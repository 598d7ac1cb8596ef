import { canonicalJson, sha256Hex } from "../model/digest.ts";
import type { FactoryRecord } from "../schemas/types.ts";

/** A record without its id, which is made from it. */
export type RecordDraft = Omit<FactoryRecord, "record_id">;

/** Sixteen hex digits; records of the old form have eight random ones. */
export const RECORD_ID = /^\d{8}t\d{9}z-(?:[a-f0-9]{16}|[a-f0-9]{8})$/;

/** `20261121t010203456z`: UTC time with milliseconds. Sorts by time. */
export function stampOf(time: Date): string {
  return time.toISOString().replace(/[-:.]/g, "").toLowerCase();
}

/** A document without halves of surrogate pairs, in which a cut text may end: canonical JSON has no form for them. */
export function wellFormed<T>(document: T): T {
  const mend = (_: string, value: unknown) =>
    typeof value === "string" ? value.replace(/\p{Surrogate}/gu, "\ufffd") : value;
  return JSON.parse(JSON.stringify(document), mend) as T;
}

/**
 * sha256 over the canonical JSON of a record without its id, cut to sixteen hex digits.
 * @throws TypeError for a record that has no canonical JSON form
 */
export function contentHash(record: RecordDraft | FactoryRecord): string {
  const content: Partial<FactoryRecord> = { ...record };
  delete content.record_id;
  return sha256Hex(canonicalJson(content)).slice(0, 16);
}

/** `20261121t010203456z-1a2b3c4d5e6f7890`: when the attempt began, and the hash of its record. Sorts by time. */
export function recordId(start: Date, draft: RecordDraft): string {
  return `${stampOf(start)}-${contentHash(draft)}`;
}

/** The time in a record's id, as milliseconds since 1970. */
export function timeOfRecordId(id: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d{4})(\d{2})(\d{2})t(\d{2})(\d{2})(\d{2})(\d{3})z/.exec(id) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
}
