import type { SmokeEvidence } from "../../model/smoke.ts";
import type { FactoryRecord, RecordResult } from "../../schemas/types.ts";
import type { Problem } from "../problem.ts";
import { timeOfRecordId } from "../record-id.ts";

/** What the stages of an attempt leave and how they end. */
export interface StageRules {
  /** A name for these rules: other rules have another name. */
  id: string;
  /** Kinds of evidence that a record with this result has to have. */
  required: (result: RecordResult) => string[];
  /** Why no attempt can end like this; undefined if one can. */
  odd: (result: RecordResult) => string | undefined;
}

/** Stages up to and including the smoke tests. */
const NOT_AFTER_SMOKE = ["resolve", "stitch", "build", "smoke"];

/** What is wrong with a verdict: by itself, and by the smoke report. */
export function resultProblems(
  { result }: FactoryRecord,
  report: SmokeEvidence | null,
  { odd }: StageRules,
): Problem[] {
  const { stage, status, class: cause, log_excerpt } = result;
  const what =
    odd(result) ??
    (status === "pass" && log_excerpt.length > 0 ? "it passed, with lines of a failure" : undefined);
  const problems: Problem[] = what === undefined ? [] : [{ code: "STATUS_MISMATCH", what }];
  if (report && !NOT_AFTER_SMOKE.includes(stage) && report.status !== "pass")
    problems.push({
      code: "STATUS_MISMATCH",
      what: `the smoke tests came to ${report.status}, and the record says that they were passed`,
    });
  if (report && stage === "smoke" && report.status !== (cause === "smoke-test" ? "fail" : "error"))
    problems.push({
      code: "STATUS_MISMATCH",
      what: `the smoke tests came to ${report.status}, and the record says ${status} (${cause})`,
    });
  return problems;
}

/** How far clocks of two machines, or of one that was set, may be apart, in milliseconds. */
const SKEW = 5 * 60_000;

/**
 * What is wrong with the times of a record. `tested_at` is when the attempt ended: its start, which the id has, and its
 * duration. A record of an image that was only tagged anew has the times of the record that proves it.
 */
export function timeProblems(record: FactoryRecord, report: SmokeEvidence | null): Problem[] {
  const { result, record_id, proven_by } = record;
  // An image that was only tagged anew was tested in the attempt that its record names.
  const began = timeOfRecordId(proven_by ?? record_id);
  const tested = Date.parse(result.tested_at);
  const problems: Problem[] = [];
  const wrong = (what: string) => void problems.push({ code: "TIME_MISMATCH", what });
  if (tested !== began + result.duration_ms)
    wrong(`tested_at is ${result.tested_at}, and ${result.duration_ms} ms after the start is another time`);
  if (began > timeOfRecordId(record_id) + SKEW) wrong(`it is older than ${proven_by}, which is to prove it`);
  if (report) {
    const reported = Date.parse(report.tested_at);
    if (!(reported >= tested - result.duration_ms - SKEW && reported <= tested + SKEW))
      wrong(`tested_at is ${result.tested_at}, and the smoke report is of ${report.tested_at}`);
  }
  return problems;
}
