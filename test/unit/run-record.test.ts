import { describe, expect, it } from "vitest";
import type { Trail } from "../../src/pipeline/stage.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { recordOf, retagRecordOf } from "../../src/run/record.ts";
import { record } from "./records-made.ts";
import { DIGEST, manyCells } from "./run-world.ts";

const image = { ref: "demo:1", digest: DIGEST, manifest_digest: DIGEST, size: 1, layers: 1, pushed: false };
const evidence = { sbom: { path: "p", sha256: "1".repeat(64), bytes: 1, media_type: "text/plain" } };

function trailOf(changes: Partial<Trail> = {}): Trail {
  return {
    stage: "done",
    failure: null,
    evidence,
    image,
    tests: [{ id: "core/runs", status: "pass", duration_ms: 3 }],
    cache: { hits: 1, total: 2 },
    retries: 4,
    stages_ms: { build: 5 },
    notes: [],
    ...changes,
  };
}

const about = {
  plan_id: "many",
  start: new Date("2026-01-01T00:00:00.000Z"),
  duration_ms: 61_000,
  tools: { factory: "0.1.0" },
  source: { commit: "c".repeat(40), dirty: false, ci_url: null },
};

const failure = { status: "fail" as const, class: "step", what: "exit code 3", log_excerpt: ["a", "b"] };

/** A cell that is to pass, and one that is meant to fail. */
function twoCells(): { passes: PlannedCell; fails: PlannedCell } {
  const { cells } = manyCells().planned;
  const passes = cells.find(({ cell }) => !cell.expect);
  const fails = cells.find(({ cell }) => cell.expect);
  if (!passes || !fails) throw new Error("no cells");
  return { passes, fails };
}

describe("recordOf", () => {
  it("says what the cell is made of, and what the attempt came to and left", () => {
    const { passes } = twoCells();
    const { cell, keys } = passes;
    expect(recordOf(passes, trailOf(), about)).toEqual({
      schema_version: 2,
      manifest_id: "demo",
      cell_id: cell.cell_id,
      plan_id: "many",
      proven_by: null,
      recipe_key: keys.recipe_key,
      build_key: keys.build_key,
      verdict_key: keys.verdict_key,
      template: keys.template,
      fragments: keys.fragments,
      args: keys.args,
      base: keys.base,
      images: keys.images,
      platform: cell.platform,
      image,
      test_suite_hash: keys.test_suite_hash,
      tests: [{ id: "core/runs", status: "pass", duration_ms: 3 }],
      result: {
        status: "pass",
        stage: "done",
        class: null,
        expected: true,
        tested_at: "2026-01-01T00:01:01.000Z",
        duration_ms: 61_000,
        stages_ms: { build: 5 },
        notes: [],
        log_excerpt: [],
      },
      evidence,
      cache: { hits: 1, total: 2 },
      retries: 4,
      tools: about.tools,
      source: about.source,
    });
    expect(keys.fragments.length).toBeGreaterThan(0);
    expect(keys.images.length).toBeGreaterThan(0);
  });

  it("says why the cell did not pass, and what else is to be known, each cut to 2000 characters", () => {
    const { passes } = twoCells();
    const trail = trailOf({ stage: "build", failure, notes: ["built without the cache", "x".repeat(2001)] });
    expect(recordOf(passes, trail, about).result).toMatchObject({
      status: "fail",
      stage: "build",
      class: "step",
      expected: false,
      notes: ["exit code 3", "built without the cache", "x".repeat(2000)],
      log_excerpt: ["a", "b"],
    });
  });

  it("says of a cell that is meant to fail whether it did: an error is no proof", () => {
    const { fails } = twoCells();
    const resultOf = (changes: Partial<Trail>) => recordOf(fails, trailOf(changes), about).result;
    expect(resultOf({ failure })).toMatchObject({
      expected: true,
      notes: ["exit code 3", "expected to fail: meant to"],
    });
    const unheld = "was expected to fail, and did not: meant to";
    expect(resultOf({})).toMatchObject({ status: "pass", expected: false, notes: [unheld] });
    expect(resultOf({ failure: { ...failure, status: "error", class: "disk" } })).toMatchObject({
      status: "error",
      expected: false,
      notes: ["exit code 3", unheld],
    });
  });
});

describe("retagRecordOf", () => {
  const proof = record({ cell_id: "other", plan_id: "other", result: { expected: false, notes: ["old"] } });

  it("keeps verdict, time and keys of the record that proves the image, and says which one that is", () => {
    const { passes } = twoCells();
    const draft = retagRecordOf(passes, trailOf({ notes: ["tagged"] }), proof, about);
    expect(draft).not.toHaveProperty("record_id");
    expect({ ...draft, record_id: proof.record_id }).toEqual({
      ...proof,
      proven_by: proof.record_id,
      cell_id: passes.cell.cell_id,
      plan_id: "many",
      image,
      evidence,
      result: { ...proof.result, expected: true, notes: ["tagged"] },
    });
  });

  it("names the first record of a chain", () => {
    const { passes } = twoCells();
    expect(retagRecordOf(passes, trailOf(), { ...proof, proven_by: "first" }, about).proven_by).toBe("first");
  });
});
