import { describe, expect, it } from "vitest";
import type { SmokeReport, TestResult } from "../../src/model/smoke.ts";
import { smoke } from "../../src/pipeline/smoke.ts";
import type { Attempt, StageDeps } from "../../src/pipeline/stage.ts";
import { manyCells } from "./run-world.ts";
import { IMAGE, scriptedDocker } from "./scripted-docker.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = `sha256:${"b".repeat(64)}`;

const tested = (id: string, status: TestResult["status"], actual = "exited with 0"): TestResult => ({
  id,
  status,
  duration_ms: 7,
  expected: "exits with 0",
  actual,
});

interface World {
  report?: SmokeReport;
  smokeTest?: StageDeps["smokeTest"];
  unpackedSize?: () => Promise<number>;
  layers?: string[] | null;
}

/** Runs the stage on a cell whose image the engine has. */
async function run({ report, smokeTest, unpackedSize, layers = ["l1", "l2"] }: World) {
  const [planned] = manyCells().planned.cells;
  if (!planned) throw new Error("no cell");
  const inspected = Promise.resolve({ ...IMAGE, ...(layers && { RootFS: { Layers: layers } }) });
  const attempt = {
    planned,
    image: { held: "held:1", digest: DIGEST, manifest_digest: MANIFEST, inspected, built: null },
    trail: { tests: [], image: null },
  } as unknown as Attempt;
  const kept: [string, unknown][] = [];
  const asked: unknown[][] = [];
  const parts: unknown[] = [];
  const { signal } = new AbortController();
  const outcome = await smoke
    .run(
      {
        attempt,
        signal,
        keep: (kind, data) => Promise.resolve(void kept.push([kind, data])),
        progress: () => undefined,
        part: (one) => void parts.push(one),
        log: () => undefined,
        warn: () => undefined,
      },
      {
        docker: scriptedDocker({
          unpackedSize: (...args) => {
            asked.push(args);
            return unpackedSize?.() ?? Promise.resolve(4096);
          },
        }),
        clock: { date: () => new Date("2026-01-01T00:00:00.000Z") },
        smokeTest: (...args) => {
          asked.push(args);
          return smokeTest?.(...args) ?? Promise.resolve(report as SmokeReport);
        },
      } as StageDeps,
    )
    .then(
      (failure) => ({ failure, error: undefined }),
      (error: unknown) => ({ failure: undefined, error }),
    );
  return { ...outcome, attempt, planned, kept, asked, parts, inspected, signal };
}

describe("the stage of the smoke tests", () => {
  it("tells each test when it is over, with the time when it began", async () => {
    const { parts } = await run({
      smokeTest: (...[, , , , onTest]) => {
        onTest?.(tested("core/runs", "pass"));
        return Promise.resolve({ status: "pass", tests: [tested("core/runs", "pass")] });
      },
    });
    const started = Date.UTC(2026, 0, 1) - 7;
    expect(parts).toEqual([{ part: "core/runs", status: "pass", started, duration_ms: 7 }]);
  });

  it("proves a pass or a fail of the built image by its report", () => {
    const { name, part, needs, evidence, provesFail, classes } = smoke;
    expect({ name, part, needs, evidence, provesFail, classes }).toEqual({
      name: "smoke",
      part: "proof",
      needs: ["build"],
      evidence: { smoke_report: "application/json" },
      provesFail: ["smoke_report"],
      classes: { "smoke-test": "fail", container: "error" },
    });
  });

  it("tests the very image that was built, and can be interrupted", async () => {
    const { asked, planned, inspected, signal } = await run({ report: { status: "pass", tests: [] } });
    const { platform } = planned.cell;
    expect(asked).toEqual([
      [DIGEST, { platform, signal }],
      [
        DIGEST,
        {
          inspected,
          recipe: {
            dockerfile: planned.render().dockerfile,
            fragments: [
              { name: "core", version: "0.2.0" },
              { name: "app", version: "0.1.0" },
            ],
          },
          sbom: expect.any(Function) as () => Promise<string>,
          filesOf: null,
        },
        planned,
        signal,
        expect.any(Function),
      ],
    ]);
  });

  it("keeps the report with what it is about, and says what the image is", async () => {
    const tests = [tested("core/a", "pass"), tested("manifest/b", "pass")];
    const { failure, attempt, planned, kept } = await run({ report: { status: "pass", tests } });
    expect(failure).toBeNull();
    expect(attempt.trail).toMatchObject({
      image: {
        ref: planned.cell.tags[0],
        digest: DIGEST,
        manifest_digest: MANIFEST,
        size: 4096,
        layers: 2,
        pushed: false,
      },
      tests: [
        { id: "core/a", status: "pass", duration_ms: 7 },
        { id: "manifest/b", status: "pass", duration_ms: 7 },
      ],
    });
    expect(attempt.trail.tests[0]).not.toHaveProperty("expected");
    const report = {
      schema_version: 1,
      verdict_key: planned.keys.verdict_key,
      test_suite_hash: planned.keys.test_suite_hash,
      platform: planned.cell.platform,
      image: { digest: DIGEST, manifest_digest: MANIFEST, size: 4096, layers: 2 },
      tested_at: "2026-01-01T00:00:00.000Z",
      status: "pass",
      tests,
    };
    expect(kept).toEqual([["smoke_report", `${JSON.stringify(report, null, 2)}\n`]]);
  });

  it("counts no layers where the engine names none", async () => {
    const { attempt } = await run({ report: { status: "pass", tests: [] }, layers: null });
    expect(attempt.trail.image?.layers).toBe(0);
  });

  it("is a fail where a test failed: it tells the first, and how many more there are", async () => {
    const one = [tested("core/a", "pass"), tested("core/b", "fail", "exited with 3; stderr\nlast")];
    expect((await run({ report: { status: "fail", tests: one } })).failure).toEqual({
      status: "fail",
      class: "smoke-test",
      what: "smoke test core/b: expected exits with 0, got last",
      log_excerpt: ["core/b: expected exits with 0", "core/b: got exited with 3; stderr", "core/b: got last"],
    });
    const three = [...one, tested("core/c", "fail"), tested("core/d", "skipped"), tested("core/e", "fail")];
    const { failure, attempt, kept } = await run({ report: { status: "fail", tests: three } });
    expect(failure?.what).toBe("smoke test core/b: expected exits with 0, got last (and 2 more)");
    expect(failure?.log_excerpt.filter((line) => /core\/[ad]/.test(line))).toEqual([]);
    // The report is kept all the same, and the tests stand in the record.
    expect(kept).toHaveLength(1);
    expect(attempt.trail.tests.map(({ status }) => status)).toEqual([
      "pass",
      "fail",
      "fail",
      "skipped",
      "fail",
    ]);
  });

  it("is an error where a test could not be run, whatever the others came to", async () => {
    const tests = [tested("core/a", "error", "no GPU here"), tested("core/b", "fail")];
    expect((await run({ report: { status: "error", tests } })).failure).toMatchObject({
      status: "error",
      class: "container",
      what: "smoke test core/a: expected exits with 0, got no GPU here (and 1 more)",
      log_excerpt: expect.arrayContaining([
        "core/a: got no GPU here",
        "core/b: got exited with 0",
      ]) as unknown,
    });
  });

  it("is no pass where the report is none, even if no test is said to have failed", async () => {
    const { failure } = await run({ report: { status: "fail", tests: [] } });
    expect(failure).toMatchObject({ status: "fail", class: "smoke-test", log_excerpt: [] });
    expect(failure?.what).toBe("smoke test : expected , got ");
  });

  it("keeps the last 40 lines of what failed", async () => {
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`).join("\n");
    const { failure } = await run({ report: { status: "fail", tests: [tested("core/a", "fail", lines)] } });
    expect(failure?.log_excerpt).toHaveLength(40);
    expect(failure?.log_excerpt.at(-1)).toBe("core/a: got line 49");
  });

  it("gives an error on, that of the engine before that of the tests, and keeps what is known by then", async () => {
    const tests = () => Promise.reject(new Error("tests"));
    const both = await run({ smokeTest: tests, unpackedSize: () => Promise.reject(new Error("engine")) });
    expect(both.error).toEqual(new Error("engine"));
    expect(both.attempt.trail.image).toBeNull();
    const one = await run({ smokeTest: tests });
    expect(one.error).toEqual(new Error("tests"));
    expect(one.attempt.trail.image).toMatchObject({ digest: DIGEST });
    expect(one.kept).toEqual([]);
  });
});
