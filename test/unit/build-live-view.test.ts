import { PassThrough } from "node:stream";
import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import type { CellEnded, RunEvent } from "../../src/schemas/types.ts";
import { createView } from "../../src/screen/live-view.ts";
import { cutToWidth, drawFrame, elapsed, type CellLine } from "../../src/screen/view-frame.ts";

const plain = (text: string) => text;
const paint = { green: plain, red: plain, yellow: plain, cyan: plain, dim: plain };

function cell(id: string, more: Partial<CellLine> = {}): CellLine {
  return { id, started: null, ended: null, state: null, verdict: null, text: "", ...more };
}

function frame(cells: CellLine[], columns = 80, rows = 24): string[] {
  return drawFrame(cells, { now: 5000, size: { columns, rows }, paint, width: stringWidth }).split("\n");
}

/** A clock that moves when it is told to, and calls what is due. */
function handClock() {
  let time = 0;
  const timers: { ms: number; next: number; call: () => void }[] = [];
  return {
    now: () => time,
    every: (ms: number, call: () => void) => {
      const timer = { ms, next: time + ms, call };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    advance: (ms: number) => {
      for (const end = time + ms; time < end;) {
        time += 100;
        for (const timer of [...timers]) {
          if (timer.next > time) continue;
          timer.next += timer.ms;
          timer.call();
        }
      }
    },
  };
}

/** A stream that keeps what was written, with the size of a terminal. */
function sink(columns?: number, rows?: number) {
  const stream = Object.assign(new PassThrough(), { columns, rows }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => String((stream as unknown as PassThrough).read() ?? "") };
}

describe("a frame", () => {
  it("has a line per cell", () => {
    const state = { stage: "build", step: 3, steps: 7, cached: true, detail: "RUN apt-get\u001b[2J\nupdate" };
    const cells = [
      cell("a", { started: 0, ended: 1500, state, verdict: "pass" }),
      cell("long-b", { started: 800, state }),
      cell("c"),
    ];
    expect(frame(cells)).toEqual([
      "✓ a        1.5s pass",
      "▸ long-b   4.2s build 3/7 cached RUN apt-get update",
      "· c      waiting",
    ]);
  });

  it("is never wider or higher than the terminal", () => {
    const cells = fc.array(
      fc.record({
        id: fc.string({ unit: "grapheme", maxLength: 30 }),
        detail: fc.string({ unit: "grapheme" }),
        wide: fc.boolean(),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(
        cells,
        fc.integer({ min: 2, max: 60 }),
        fc.integer({ min: 2, max: 20 }),
        (all, columns, rows) => {
          const shown = all.map(({ id, detail, wide }, index) =>
            cell(`${index}${id.replace(/\s/g, "")}`, {
              started: 0,
              state: { stage: "build", detail: wide ? `漢字🏭${detail}` : detail },
            }),
          );
          const lines = frame(shown, columns, rows);
          expect(lines.length).toBeLessThan(rows);
          for (const line of lines) expect(stringWidth(line)).toBeLessThan(columns);
        },
      ),
    );
  });

  it("keeps the running and the failed cells where there is no room for all", () => {
    const cells = [
      ...["p1", "p2", "p3"].map((id) => cell(id, { started: 0, ended: 1, verdict: "pass" })),
      cell("bad", { started: 0, ended: 1, verdict: "fail", text: "why" }),
      cell("run", { started: 0, state: { stage: "smoke" } }),
      cell("wait"),
    ];
    expect(frame(cells, 80, 4)).toEqual([
      "✗ bad   0.0s fail why",
      "▸ run   5.0s smoke",
      "… and 1 waiting, 3 ended",
    ]);
  });
});

describe("texts", () => {
  it("tell durations", () => {
    expect([0, 4249, 59_940, 65_000, 3_720_000].map(elapsed)).toEqual([
      "0.0s",
      "4.2s",
      "59.9s",
      "1m05s",
      "1h02m",
    ]);
  });

  it("are cut between characters", () => {
    expect(cutToWidth("漢字漢字", 6, stringWidth)).toBe("漢字…");
    expect(cutToWidth("abc", 3, stringWidth)).toBe("abc");
  });
});

const stamp = { v: 1, at: "2026-01-01T00:00:00.000Z" } as const;
const started = (...cells: string[]): RunEvent => ({
  ...stamp,
  type: "run-started",
  plan_ids: [],
  stages: ["build", "smoke", "sbom"],
  cells,
});
const stage = (type: "stage-started" | "stage-ended", cell_id: string, name: string): RunEvent =>
  type === "stage-started"
    ? { ...stamp, type, cell_id, stage: name }
    : { ...stamp, type, cell_id, stage: name, status: "pass", class: null, duration_ms: 1, evidence: [] };
const progress = (cell_id: string, step: number, steps: number): RunEvent => ({
  ...stamp,
  type: "progress",
  cell_id,
  stage: "build",
  step,
  steps,
  cached: false,
  detail: "",
});
const note = (text: string): RunEvent => ({ ...stamp, type: "note", level: "note", cell_id: null, text });
const ended = (cell_id: string, more: Partial<CellEnded> = {}): RunEvent => ({
  ...stamp,
  type: "cell-ended",
  cell_id,
  manifest_id: "m",
  platform: "linux/amd64",
  status: "pass",
  expected: true,
  stage: "done",
  class: null,
  record_id: "r",
  record: "records/m/r.json",
  image: null,
  cache: { hits: 1, total: 2 },
  duration_ms: 1,
  notes: [],
  ...more,
});

describe("the plain view", () => {
  it("writes a line when a stage changes, one for the verdict, and one after 15 s of silence", async () => {
    const clock = handClock();
    const { stream, text } = sink();
    const view = await createView({ stream, interactive: false, color: false, clock });
    view.take(started("a", "b"));
    view.take(stage("stage-started", "a", "build"));
    view.take(progress("a", 0, 3));
    clock.advance(1000);
    view.take(progress("a", 1, 3));
    clock.advance(15_000);
    view.take(stage("stage-ended", "a", "build"));
    // Of two that run at once the first in the run's order is shown, whichever began first.
    view.take(stage("stage-started", "a", "smoke"));
    view.take(stage("stage-started", "a", "sbom"));
    view.take(note("warning: attempt 1\u001b[2J failed"));
    view.take(stage("stage-ended", "a", "smoke"));
    view.take(ended("a"));
    view.take(
      ended("b", { status: "error", expected: false, class: "environment", notes: ["no engine", "more"] }),
    );
    view.take(ended("c", { status: "fail", notes: ["why"] }));
    view.take(ended("d", { expected: false }));
    view.take(ended("e", { status: "reused" }));
    view.close();
    clock.advance(60_000);
    view.take(note("too late"));
    expect(text().split("\n")).toEqual([
      "a: build",
      "still running: a build 1/3 (15.0s)",
      "a: smoke",
      "warning: attempt 1 failed",
      "a: sbom",
      "a: pass (16.0s) 1 of 2 steps from the cache",
      "b: error (0.0s) no engine",
      "c: fail (0.0s) as expected: why",
      "d: pass (0.0s) NOT as expected: 1 of 2 steps from the cache",
      "e: reused (0.0s) proven by r",
      "",
    ]);
  });
});

describe("the view on a terminal", () => {
  it("draws in place, keeps notes, and ends with all cells", async () => {
    const clock = handClock();
    const { stream, text } = sink(60, 4);
    const ids = Array.from({ length: 9 }, (_, index) => `cell-${index}`);
    const view = await createView({ stream, interactive: true, color: false, clock });
    view.take(started(...ids));
    view.take(stage("stage-started", "cell-3", "build"));
    view.take(progress("cell-3", 1, 2));
    clock.advance(300);
    view.take(note("a warning"));
    ids.forEach((id) => view.take(ended(id)));
    view.close();
    const written = text();
    expect(written).toContain("▸ cell-3   0.1s build 1/2");
    expect(written).toContain("a warning\n");
    const last = written.slice(written.lastIndexOf("✓ cell-0"));
    for (const id of ids) expect(last).toContain(`✓ ${id}`);
    clock.advance(1000);
    expect(text()).toBe("");
  });

  it("colours only where that is allowed", async () => {
    for (const color of [true, false]) {
      const { stream, text } = sink(60, 10);
      const view = await createView({ stream, interactive: true, color, clock: handClock() });
      view.take(ended("a", { status: "fail" }));
      view.close();
      expect(text().includes("\u001b[31m✗")).toBe(color);
    }
  });
});
