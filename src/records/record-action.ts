import type { StoredRecord } from "./stored-record.ts";

export type RecordAction = "build" | "retest" | "retag" | "repack";

/** How an attempt came to its verdict: what it did about the image, as far as its record says. */
export function actionOf(record: StoredRecord): RecordAction {
  if (record.schema_version === 2 && record.repacked) return "repack";
  if (record.schema_version === 2 && record.proven_by !== null) return "retag";
  return "build" in record.result.stages_ms || record.result.status !== "pass" ? "build" : "retest";
}
