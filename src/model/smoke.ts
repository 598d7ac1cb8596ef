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
  /** Where it left the defaults of the sandbox, in words: `user 0`; absent if nowhere. */
  loosened?: string[];
}

/** What a record keeps of a test. */
export function keptOf({
  id,
  status,
  duration_ms,
  loosened,
}: Omit<TestResult, "expected" | "actual">): Omit<TestResult, "expected" | "actual"> {
  return { id, status, duration_ms, ...(loosened ? { loosened } : {}) };
}

/** `pass` only if every test passed; `error` if one could not be run. */
export function suiteStatus(tests: readonly Pick<TestResult, "status">[]): SmokeReport["status"] {
  if (tests.some(({ status }) => status === "error")) return "error";
  return tests.every(({ status }) => status === "pass") ? "pass" : "fail";
}

/** The smoke report of one image: `pass` only if every test passed; `error` if one could not be run. */
export interface SmokeReport {
  status: "pass" | "fail" | "error";
  tests: TestResult[];
}

/**
 * A smoke report as evidence: it names its image and suite, so that it cannot be used for another one.
 */
export interface SmokeEvidence extends SmokeReport {
  schema_version: 1;
  /** Over the suite, the image's build key, GPUs and limits. */
  verdict_key: string;
  test_suite_hash: string;
  platform: string;
  image: { digest: string; manifest_digest: string; size: number; layers: number };
  /** When the last test was done, ISO 8601. */
  tested_at: string;
}
