import { describe, expect, it } from "vitest";
import type { SmokeReport } from "../../src/model/smoke.ts";
import { manyCells, runIn } from "./run-world.ts";

/** Runs cells whose smoke tests come to these statuses, one after the other, and then pass. */
async function runWith(statuses: readonly SmokeReport["status"][]) {
  const world = manyCells();
  const left = [...statuses];
  const ran = await runIn({
    ...world,
    jobs: 1,
    deps: {
      smokeTest: (_image, _inspected, { inputs }) => {
        const status = left.shift() ?? "pass";
        const tests = inputs.tests.map(({ from, id }, at) => ({
          id: `${from}/${id}`,
          status: at === 0 ? status : "pass",
          duration_ms: 1,
          expected: "a",
          actual: "b",
        }));
        return Promise.resolve({ status, tests } as SmokeReport);
      },
    },
  });
  const records = await Promise.all(
    (ran.value?.results ?? []).map(({ record_id }) => ran.store.get(record_id)),
  );
  return { ...ran, records };
}

describe("what smoke tests come to", () => {
  it("is the verdict on the cell: a fail, an error of its own class, and a pass for nothing else", async () => {
    const { value, records, images } = await runWith(["fail", "error"]);
    expect(value?.results.map(({ status, stage, class: cause }) => [status, stage, cause])).toEqual([
      ["fail", "smoke", "smoke-test"],
      ["error", "smoke", "container"],
      ["pass", "done", null],
      ["pass", "done", null],
      ["pass", "done", null],
    ]);
    expect(value?.summary).toMatchObject({ pass: 3, fail: 1, error: 1 });
    expect(records.map(({ tests }) => tests[0]?.status)).toEqual(["fail", "error", "pass", "pass", "pass"]);
    // The tags of the two stay where they were.
    const tagged = records.map(({ image }) => image?.ref ?? "");
    expect(tagged.slice(0, 2).every((ref) => ref.includes("failed"))).toBe(true);
    expect(tagged.slice(2).every((ref) => images.tags.has(ref))).toBe(true);
  });
});
