import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import type { Happening } from "../../src/model/event.ts";
import { runStages } from "../../src/pipeline/run-stages.ts";
import type { Attempt, Failure, Stage, StageDeps } from "../../src/pipeline/stage.ts";
import { BEFORE_IMAGE } from "../../src/plan/decide/ruling.ts";
import { oddEnd, requiredEvidence, STAGES, stagesOf } from "../../src/pipeline/table.ts";
import { createView } from "../../src/screen/live-view.ts";
import { manyCells, runIn, scriptedImages, DIGEST } from "./run-world.ts";
import { PassThrough } from "node:stream";

const NAME = /^[a-z][a-z0-9-]{0,39}$/;

const PASS = { stage: "done", status: "pass", stages_ms: {} };

describe("the table of stages", () => {
  it("names each stage once, after those that it needs", () => {
    const names = STAGES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    STAGES.forEach(({ needs }, at) => {
      for (const needed of needs === "all" ? [] : needs) expect(names.slice(0, at)).toContain(needed);
    });
  });

  it("has names and classes that a record takes, and kinds of evidence that no two stages share", () => {
    const kinds = STAGES.flatMap(({ evidence }) => Object.keys(evidence));
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const kind of kinds) expect(kind).toMatch(/^[a-z][a-z0-9_]*$/);
    for (const { name, classes } of STAGES) {
      expect(name).not.toBe("done");
      for (const one of [name, ...Object.keys(classes)]) expect(one).toMatch(NAME);
    }
  });

  it("is what the planner takes for stages without an image", () => {
    const before = STAGES.filter(({ part }) => part === "cell" || part === "image");
    expect(before.map(({ name }) => name)).toEqual([...BEFORE_IMAGE]);
  });

  it("says which evidence a pass has, and what each action does again", () => {
    expect(requiredEvidence(STAGES, PASS)).toEqual([
      "bake_file",
      "build_log",
      "buildkit_provenance",
      "dockerfile",
      "inputs",
      "provenance",
      "sbom",
      "smoke_report",
    ]);
    const run = (path: "build" | "retest" | "retag") => stagesOf(STAGES, path).run.map(({ name }) => name);
    expect(run("build")).toEqual(STAGES.map(({ name }) => name));
    expect(run("retest")).toEqual(["resolve", "smoke", "sbom", "tag", "push"]);
    expect(run("retag")).toEqual(["resolve", "tag", "push"]);
  });

  it.each([
    [{ stage: "done", class: null, status: "pass" }, undefined],
    [{ stage: "smoke", class: "smoke-test", status: "fail" }, undefined],
    [{ stage: "push", class: "interrupted", status: "error" }, undefined],
    [{ stage: "done", class: "smoke-test", status: "fail" }, "it says done"],
    [{ stage: "smoke", class: "smoke-test", status: "error" }, "means fail, not error"],
    [{ stage: "smoke", class: "step", status: "fail" }, "has no failure step"],
    [{ stage: "smoke", class: "constructor", status: "fail" }, "has no failure"],
    [{ stage: "smoke", class: null, status: "fail" }, "without a class"],
    [{ stage: "scan", class: "x", status: "fail" }, "no stage scan"],
  ])("judges where a record ended: %j", (end, odd) => {
    const found = oddEnd(STAGES, end);
    if (odd === undefined) expect(found).toBe(undefined);
    else expect(found).toContain(odd);
  });
});

/** A stage that ends when it is told to. */
function stageOf(name: string, needs: readonly string[], run: Stage["run"]): Stage {
  return { name, part: "proof", needs, evidence: { [name]: "text/plain" }, classes: { bad: "fail" }, run };
}

const failure: Failure = { status: "fail", class: "bad", what: "bad", log_excerpt: [] };

/** Runs stages of a made-up attempt. */
async function drive(stages: readonly Stage[], signal?: AbortSignal) {
  const events: Happening[] = [];
  const attempt = {
    planned: { cell: { cell_id: "c", manifest_id: "m" } },
    trail: { stage: "", failure: null, evidence: {}, stages_ms: {}, notes: [] },
  } as unknown as Attempt;
  let time = 0;
  const deps = {
    clock: { now: () => (time += 1) },
    store: { keep: () => ({ path: "p", sha256: "s", bytes: 1, media_type: "t" }) },
    secrets: { mask: (text: string) => text },
  } as unknown as StageDeps;
  const emit = (event: Happening) => void events.push(event);
  const thrown = await runStages(stages, attempt, deps, { emit, signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const started = events.flatMap((event) => (event.type === "stage-started" ? [event.stage] : []));
  return { trail: attempt.trail, events, started, thrown };
}

describe("runStages", () => {
  it("gives the verdict of the first in the table that fails, however stages race", async () => {
    const turns = fc.integer({ min: 0, max: 5 });
    const shape = fc.array(
      fc.record({ fails: fc.boolean(), turns, needs: fc.array(fc.nat(10), { maxLength: 2 }) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(shape, async (made) => {
        const needsOf = (at: number) => (made[at]?.needs ?? []).filter((one) => one < at);
        const stages = made.map(({ fails, turns: wait }, at) =>
          stageOf(
            `s${at}`,
            needsOf(at).map((one) => `s${one}`),
            async ({ signal }) => {
              for (let turn = 0; turn < wait; turn += 1) {
                await new Promise(setImmediate);
                if (signal.aborted) throw new FactoryError("INTERRUPTED", "stopped");
              }
              return fails ? failure : null;
            },
          ),
        );
        // Without a race: in the order of the table.
        const reached = made.map(() => true);
        made.forEach((_, at) => {
          reached[at] = needsOf(at).every((one) => reached[one] === true && made[one]?.fails === false);
        });
        const first = made.findIndex(({ fails }, at) => fails && reached[at] === true);
        const { trail } = await drive(stages);
        expect(trail.stage).toBe(first < 0 ? "done" : `s${first}`);
        expect(trail.failure).toEqual(first < 0 ? null : failure);
      }),
    );
  });

  it("stops what comes later in the table, and lets what comes before go on to its end", async () => {
    const seen: string[] = [];
    const wait = async (signal: AbortSignal, name: string) => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      seen.push(`${name} ${signal.aborted ? "stopped" : "went on"}`);
      if (signal.aborted) throw new FactoryError("INTERRUPTED", "stopped");
      return null;
    };
    const { trail, events } = await drive([
      stageOf("before", [], ({ signal }) => wait(signal, "before")),
      stageOf("fails", [], () => Promise.resolve(failure)),
      stageOf("after", [], ({ signal }) => wait(signal, "after")),
      stageOf("never", ["fails"], () => expect.unreachable()),
    ]);
    expect(seen).toEqual(["before went on", "after stopped"]);
    expect(trail).toMatchObject({ stage: "fails", failure });
    expect(
      events.flatMap((event) => (event.type === "stage-ended" ? [`${event.stage} ${event.status}`] : [])),
    ).toEqual(["fails fail", "before pass", "after stopped"]);
  });

  it("starts nothing once it is interrupted, and calls that an error", async () => {
    const controller = new AbortController();
    const { trail } = await drive(
      [
        stageOf("one", [], () => {
          controller.abort();
          return Promise.resolve(null);
        }),
        stageOf("two", ["one"], () => expect.unreachable()),
      ],
      controller.signal,
    );
    expect(trail).toMatchObject({ stage: "two", failure: { status: "error", class: "interrupted" } });
  });

  it("tells stages that are under way of an interruption, and calls how they end an error", async () => {
    const controller = new AbortController();
    const { trail } = await drive(
      [
        stageOf("one", [], async ({ signal }) => {
          controller.abort();
          await Promise.resolve();
          if (!signal.aborted) return null;
          throw new FactoryError("INTERRUPTED", "interrupted");
        }),
      ],
      controller.signal,
    );
    expect(trail).toMatchObject({ stage: "one", failure: { status: "error", class: "interrupted" } });
  });

  it("keeps the last lines of a stage's log where it throws", async () => {
    const { trail } = await drive([
      stageOf("one", [], ({ log }) => {
        for (let line = 0; line < 50; line += 1) log(`line ${line}`);
        return Promise.reject(new FactoryError("ENGINE_FAILED", "boom"));
      }),
    ]);
    expect(trail.failure).toMatchObject({ status: "error", class: "environment", what: "boom" });
    expect(trail.failure?.log_excerpt).toHaveLength(40);
    expect(trail.failure?.log_excerpt.at(-1)).toBe("line 49");
  });

  it.each<[string, Stage["run"]]>([
    ["a class that it does not declare", () => Promise.resolve({ ...failure, class: "other" })],
    ["another fault than it declares", () => Promise.resolve({ ...failure, status: "error" })],
    [
      "evidence that it does not declare",
      ({ keep }) => Promise.resolve(void keep("other", "x")).then(() => null),
    ],
  ])("takes for a bug a stage that gives %s", async (_, run) => {
    const { trail } = await drive([stageOf("one", [], async (work, deps) => run(work, deps))]);
    expect(trail).toMatchObject({ stage: "one", failure: { status: "error", class: "unknown" } });
    expect(trail.bug).toBeInstanceOf(Error);
  });

  it("ends with what could not be written", async () => {
    const full = new FactoryError("WRITE_FAILED", "full");
    const { thrown } = await drive([
      stageOf("one", [], () => Promise.resolve(failure)),
      stageOf("two", [], () => Promise.reject(full)),
    ]);
    expect(thrown).toBe(undefined);
    expect((await drive([stageOf("one", [], () => Promise.reject(full))])).thrown).toBe(full);
  });
});

describe("a stage more", () => {
  /** What another tool would say of an image. */
  const scan = (verdict: Failure | null): Stage => ({
    name: "scan",
    part: "proof",
    needs: ["sbom"],
    evidence: { scan_report: "application/sarif+json" },
    classes: { vulnerable: "fail" },
    run: async ({ attempt, keep, progress }) => {
      progress({ step: 1, steps: 2, cached: false, detail: attempt.image?.digest ?? "" });
      await keep("scan_report", "{}\n");
      return verdict;
    },
  });
  const withScan = (verdict: Failure | null) => {
    const at = STAGES.findIndex(({ name }) => name === "tag");
    return [...STAGES.slice(0, at), scan(verdict), ...STAGES.slice(at)];
  };

  it("runs, is shown, leaves its evidence and stands in the record", async () => {
    const world = manyCells();
    const stream = new PassThrough();
    const clock = { now: () => 0, every: () => () => undefined };
    const shown = stream as unknown as NodeJS.WriteStream;
    const view = await createView({ stream: shown, interactive: false, color: false, clock });
    const one = { ...world.planned, cells: world.planned.cells.slice(0, 1) };
    const { value, store, events } = await runIn({ ...world, planned: one, stages: withScan(null) });
    events.forEach(view.take);
    expect(value?.summary).toMatchObject({ pass: 1, unexpected: 0 });
    const record = await store.get(value?.results[0]?.record_id ?? "");
    expect(record.evidence.scan_report?.media_type).toBe("application/sarif+json");
    expect(record.result.stages_ms.scan).toBeGreaterThan(0);
    expect((await store.verify()).problems).toEqual([]);
    expect(events[0]).toMatchObject({ type: "run-started", stages: withScan(null).map(({ name }) => name) });
    expect(events).toContainEqual(
      expect.objectContaining({ type: "stage-ended", stage: "scan", evidence: ["scan_report"] }),
    );
    expect(String(stream.read())).toContain(`${world.ids[0]}: scan\n`);
  });

  it("has its own verdict, with its own class, and what needs it does not happen", async () => {
    const world = manyCells();
    const one = { ...world.planned, cells: world.planned.cells.slice(0, 1) };
    const found: Failure = { status: "fail", class: "vulnerable", what: "1 finding", log_excerpt: ["CVE"] };
    const images = scriptedImages();
    const { value, store } = await runIn({ ...world, planned: one, stages: withScan(found), images });
    expect(value?.results[0]).toMatchObject({ status: "fail", stage: "scan", class: "vulnerable" });
    const record = await store.get(value?.results[0]?.record_id ?? "");
    expect(record.result).toMatchObject({ stage: "scan", class: "vulnerable", log_excerpt: ["CVE"] });
    expect([...images.tags.keys()]).toEqual(["factory/demo:failed-core-0.2.0.linux-amd64"]);
    expect([...images.tags.values()]).toEqual([DIGEST]);
  });

  it("is done again where a cell is tested again, and taken over where it only gets its tag", () => {
    const names = (path: "retest" | "retag") => stagesOf(withScan(null), path).run.map(({ name }) => name);
    expect(names("retest")).toContain("scan");
    expect(names("retag")).not.toContain("scan");
    expect(requiredEvidence(withScan(null), PASS)).toContain("scan_report");
  });
});
