import type { TestResult } from "../model/smoke.ts";
import { cut } from "./text.ts";

/** What a test found, without its id and time. */
export type Outcome = Pick<TestResult, "status" | "expected" | "actual">;

/** One thing that a test looked at. `error` means that it could not be looked at. */
export interface Observation {
  status: "pass" | "fail" | "error";
  expected: string;
  actual: string;
}

/** An observation that passes where it holds. */
export function observed(holds: boolean, expected: string, actual: string): Observation {
  return { status: holds ? "pass" : "fail", expected, actual };
}

/**
 * The outcome of all that a test looked at. Where something differed, only that is told; `about` is said beside what
 * was found then.
 */
export function outcomeOf(findings: readonly Observation[], about: string[] = []): Outcome {
  const wrong = findings.filter(({ status }) => status !== "pass");
  const told = wrong.length > 0 ? wrong : findings;
  const status = wrong.some((one) => one.status === "error") ? "error" : wrong.length > 0 ? "fail" : "pass";
  return {
    status,
    expected: cut(told.map(({ expected }) => expected).join("; ")),
    actual: cut([...told.map(({ actual }) => actual), ...(wrong.length > 0 ? about : [])].join("; ")),
  };
}

/** A test that could not be run. */
export function couldNotRun(expected: string, words: string): Outcome {
  return { status: "error", expected: cut(expected), actual: cut(words) };
}
