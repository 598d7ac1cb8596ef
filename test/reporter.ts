import type { Reporter, TestModule } from "vitest/node";

/** What a test run came to. Each test, and each file that could not be loaded, counts once. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Of those, the tests that drive a real engine. */
  engine: { ran: number; leftOut: number };
  /** How many tests were skipped for a reason that they gave themselves. */
  reasons: Map<string, number>;
}

/** The folders whose tests drive a real engine, or a real browser: what `test/lab/up` installs. */
const ENGINE_FOLDERS = ["test/engine/", "test/attacks/engine/", "test/page/"];

/** What the reason of a test starts with that needs a program which `test/lab/up` does not install: nobody can require it. */
export const NOT_OF_THE_LAB = "not part of the lab: ";

/** The part of a vitest test file that is counted. */
export interface CountedModule {
  relativeModuleId: string;
  children: { allTests: () => Iterable<{ result: () => { state: string; note?: string } }> };
  errors: () => readonly unknown[];
}

/**
 * Counts a finished run.
 * @param unhandled errors outside of any test; each counts as a failure
 * @param requireEngine whether an engine test that was skipped counts as a failure
 */
export function countTests(
  modules: Iterable<CountedModule>,
  unhandled: number,
  requireEngine: boolean,
): Counts {
  const engine = { ran: 0, leftOut: 0 };
  const counts: Counts = { passed: 0, failed: unhandled, skipped: 0, engine, reasons: new Map() };
  for (const module of modules) {
    const onEngine = ENGINE_FOLDERS.some((folder) => module.relativeModuleId.startsWith(folder));
    if (module.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const { state, note } = test.result();
      const skipped = state === "skipped";
      if (note) counts.reasons.set(note, (counts.reasons.get(note) ?? 0) + 1);
      if (onEngine) engine[skipped ? "leftOut" : "ran"] += 1;
      if (state === "passed") counts.passed += 1;
      else if (skipped && !(onEngine && requireEngine && !note?.startsWith(NOT_OF_THE_LAB)))
        counts.skipped += 1;
      else counts.failed += 1;
    }
  }
  return counts;
}

/** The closing lines. The last one stands alone and plain, so that a program can read it. */
export function closingLines({ passed, failed, skipped, engine, reasons }: Counts): string {
  const why = engine.leftOut > 0 && engine.ran === 0 ? " (no Docker engine answers)" : "";
  return [
    ...[...reasons].map(([reason, times]) => `skipped ${times}: ${reason}`),
    `engine tests: ${engine.ran} ran, ${engine.leftOut} left out${why}`,
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
  ].join("\n");
}

/** Prints the closing lines; ends the process with 1 where a failure is counted that vitest does not see as one. */
export function countingReporter(requireEngine: boolean): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], unhandled) {
      const counts = countTests(modules, unhandled.length, requireEngine);
      console.log(closingLines(counts));
      if (counts.failed > 0) process.exitCode = 1;
    },
  };
}
