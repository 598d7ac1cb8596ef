import { describe, expect, it } from "vitest";
import { closingLines, countTests, type CountedModule, NOT_OF_THE_LAB } from "../reporter.ts";

function moduleOf(relativeModuleId: string, states: string[], errors: unknown[] = []): CountedModule {
  const tests = states.map((state) => ({ result: () => ({ state }) }));
  return { relativeModuleId, children: { allTests: () => tests }, errors: () => errors };
}

describe("the closing lines of a test run", () => {
  it("count tests by state, and engine tests besides", () => {
    const modules = [
      moduleOf("test/unit/a.test.ts", ["passed", "failed", "skipped"]),
      moduleOf("test/engine/b.test.ts", ["passed", "passed", "skipped"]),
      moduleOf("test/attacks/engine/c.test.ts", ["passed", "skipped"]),
      moduleOf("test/attacks/d.test.ts", ["passed", "skipped"]),
    ];
    expect(closingLines(countTests(modules, 0, false))).toBe(
      "engine tests: 3 ran, 2 left out\n5 passed, 1 failed, 4 skipped",
    );
  });

  it("say that no engine answers where every engine test was left out", () => {
    const counts = countTests([moduleOf("test/engine/b.test.ts", ["skipped"])], 0, false);
    expect(closingLines(counts)).toBe(
      "engine tests: 0 ran, 1 left out (no Docker engine answers)\n0 passed, 0 failed, 1 skipped",
    );
  });

  it("count a skipped engine test as failed where the engine is required, and no other", () => {
    const modules = [
      moduleOf("test/engine/b.test.ts", ["skipped"]),
      moduleOf("test/attacks/engine/c.test.ts", ["skipped"]),
      moduleOf("test/attacks/d.test.ts", ["skipped"]),
      moduleOf("test/unit/a.test.ts", ["skipped"]),
    ];
    expect(countTests(modules, 0, true)).toMatchObject({ failed: 2, skipped: 2 });
  });

  it("count an engine test that needs what the lab has not as left out, even where the engine is required", () => {
    const result = { state: "skipped", note: `${NOT_OF_THE_LAB}x is not installed` };
    const tests = [
      { result: () => result },
      { result: () => ({ state: "skipped", note: "y is not installed" }) },
    ];
    const module = { ...moduleOf("test/engine/a.test.ts", []), children: { allTests: () => tests } };
    expect(countTests([module], 0, true)).toMatchObject({ failed: 1, skipped: 1 });
  });

  it("say why tests were skipped, where these say it", () => {
    const note = "git is not installed";
    const results = [{ state: "skipped", note }, { state: "skipped" }, { state: "skipped", note }];
    const tests = results.map((result) => ({ result: () => result }));
    const module = { ...moduleOf("test/unit/a.test.ts", []), children: { allTests: () => tests } };
    expect(closingLines(countTests([module], 0, false))).toBe(
      "skipped 2: git is not installed\nengine tests: 0 ran, 0 left out\n0 passed, 0 failed, 3 skipped",
    );
  });

  it("count files that do not load, errors outside of tests and tests that never ended as failed", () => {
    const modules = [
      moduleOf("test/unit/a.test.ts", ["pending"]),
      moduleOf("test/unit/c.test.ts", [], [new Error()]),
    ];
    expect(countTests(modules, 1, false)).toMatchObject({ passed: 0, failed: 3, skipped: 0 });
  });
});
