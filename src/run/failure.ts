import type { BuildOutcome } from "../builder/build.ts";
import { FactoryError } from "../errors.ts";
import type { SmokeReport } from "../model/smoke.ts";
import type { Failure, Findings } from "./types.ts";

/** Steps of one attempt, in order; `done` where all were passed. */
export type Stage = "stitch" | "build" | "smoke" | "sbom" | "push" | "done";

/** How many lines of a log a record keeps. */
export const LOG_TAIL = 40;

/** What an attempt has found before it began. */
export function noFindings(): Findings {
  return {
    failure: null,
    evidence: {},
    image: null,
    tests: [],
    cache: { hits: 0, total: 0 },
    retries: 0,
    stages_ms: {},
    notes: [],
  };
}

/** Classes of a failed build that lie in what was asked for; the others lie in the environment. */
const OWN_FAULT = new Set(["dockerfile", "step", "copy", "base"]);

/** Why a build failed. */
export function buildFailure(outcome: Extract<BuildOutcome, { status: "failed" }>): Failure {
  const status = OWN_FAULT.has(outcome.class) ? "fail" : "error";
  return { status, class: outcome.class, what: outcome.message, log_excerpt: outcome.log_tail };
}

/** The failing tests as the last lines of a log: what was expected and what came. */
function smokeExcerpt(report: SmokeReport): string[] {
  return report.tests
    .filter(({ status }) => status === "fail" || status === "error")
    .flatMap(({ id, expected, actual }) => [
      `${id}: expected ${expected}`,
      ...actual.split("\n").map((line) => `${id}: got ${line}`),
    ])
    .slice(-LOG_TAIL);
}

/** Why smoke tests did not pass: the first of those that failed, and how many more there are. */
export function smokeFailure(report: SmokeReport): Failure {
  const failed = report.tests.filter(({ status }) => status === "fail" || status === "error");
  const [first] = failed;
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
  return {
    status: report.status === "error" ? "error" : "fail",
    class: report.status === "error" ? "container" : "smoke-test",
    what: `smoke test ${first?.id ?? ""}: expected ${first?.expected ?? ""}, got ${first?.actual.split("\n").at(-1) ?? ""}${more}`,
    log_excerpt: smokeExcerpt(report),
  };
}

/** What a thrown error makes of an attempt. */
export function failureOf(error: unknown, stage: Stage): Omit<Failure, "log_excerpt"> {
  const what = error instanceof Error ? error.message : JSON.stringify(error);
  if (!(error instanceof FactoryError))
    return { status: "error", class: "unknown", what: `a bug in Factory: ${what}` };
  if (error.code === "INTERRUPTED") return { status: "error", class: "interrupted", what };
  return { status: "error", class: stage === "sbom" ? "sbom" : "environment", what };
}
