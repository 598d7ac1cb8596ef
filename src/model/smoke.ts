import type { SmokeTest } from "../schemas/types.ts";

/** A smoke test together with where it was declared: `manifest`, or the name of a fragment. */
export interface DeclaredTest extends SmokeTest {
  from: string;
}

/** Limits on the containers that smoke tests run in. */
export interface SmokeLimits {
  memory_mb: number;
  pids: number;
  timeout_s: number;
}

/** What one test found. `expected` and `actual` are for people: short texts that say what differed. */
export interface TestResult {
  /** `<from>/<id>`, such as `core/python-runs`. */
  id: string;
  status: "pass" | "fail" | "error" | "skipped";
  duration_ms: number;
  expected: string;
  actual: string;
}

/** The smoke report of one image: `pass` only where every test passed; `error` where one could not be run. */
export interface SmokeReport {
  status: "pass" | "fail" | "error";
  tests: TestResult[];
}
