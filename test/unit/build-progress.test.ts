import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createProgress } from "../../src/builder/progress.ts";

const fixtures = new URL("../fixtures/build/", import.meta.url);

/** Feeds a recording of `--progress=rawjson`; gives the reducer and the log it rendered. */
function replay(name: string, targets = ["cell"], times = 1) {
  const log: string[] = [];
  const progress = createProgress({ targets, onLog: (line) => log.push(line) });
  const lines = readFileSync(new URL(`${name}.rawjson`, fixtures), "utf8")
    .trimEnd()
    .split("\n");
  for (let time = 0; time < times; time++) for (const line of lines) progress.line(line);
  return { progress, log };
}

function vertex(digest: string, name: string, more: object = {}): string {
  return JSON.stringify({ vertexes: [{ digest, name, ...more }] });
}

function output(vertexDigest: string, text: string | Uint8Array, timestamp: string): string {
  const data = Buffer.from(text as string).toString("base64");
  return JSON.stringify({ logs: [{ vertex: vertexDigest, stream: 1, data, timestamp }] });
}

const started = "2026-01-01T00:00:00Z";

describe("the kept log", () => {
  it.each(["two-targets", "cached", "failed-step", "failed-copy", "failed-base", "split-utf8", "aborted"])(
    "of %s is what was recorded",
    async (name) => {
      const { log } = replay(name, name === "two-targets" ? ["core", "cell"] : ["cell"]);
      await expect(log.join("\n") + "\n").toMatchFileSnapshot(`../fixtures/build/${name}.log`);
    },
  );

  it("keeps a character that two pieces share, the last state of an overwritten line, and no colours", () => {
    const { log } = replay("split-utf8");
    expect(log).toContain("#6 0.263 é 1");
    expect(log).toContain("#6 0.871 done green");
    expect(log).toContain("#6 no newline at end");
  });

  it("writes shared work once, although each target reports it", () => {
    const { log } = replay("two-targets", ["core", "cell"]);
    expect(log.filter((line) => line.includes("core 3/3] RUN"))).toHaveLength(1);
    expect(log.filter((line) => line.startsWith("#8 DONE"))).toHaveLength(1);
  });

  it("writes replayed output once", () => {
    const { log } = replay("two-targets", ["core", "cell"], 2);
    expect(log).toEqual(replay("two-targets", ["core", "cell"]).log);
  });

  it("gives a line that never ends in bounded pieces", () => {
    const log: string[] = [];
    const progress = createProgress({ onLog: (line) => log.push(line) });
    progress.line(vertex("sha256:a", "[core 2/2] RUN yes", { started }));
    for (let i = 0; i < 40; i++)
      progress.line(output("sha256:a", "y".repeat(1000), `2026-01-01T00:00:01.${100 + i}Z`));
    expect(log.length).toBe(3);
    expect(Math.max(...log.map((line) => line.length))).toBeLessThan(16_500);
  });

  it("writes warnings of the Dockerfile once", () => {
    const log: string[] = [];
    const progress = createProgress({ onLog: (line) => log.push(line) });
    const warning = {
      vertex: "sha256:a",
      short: Buffer.from("StageNameCasing: \u001b[31mlower").toString("base64"),
    };
    progress.line(JSON.stringify({ warnings: [warning, warning] }));
    expect(log).toEqual(["#1 sha256:a", "#1 WARNING: StageNameCasing: lower"]);
  });
});

describe("steps and cache", () => {
  it("counts each step once over all targets, without FROM", () => {
    expect(replay("two-targets", ["core", "cell"]).progress.cache()).toEqual({ hits: 0, total: 3 });
    expect(replay("cached").progress.cache()).toEqual({ hits: 3, total: 3 });
  });

  it("counts a step that an earlier attempt ran as no hit", () => {
    const ran = replay("two-targets", ["core", "cell"]).progress.ran();
    expect(ran).toHaveLength(3);
    expect(replay("cached").progress.cache(new Set(ran))).toEqual({ hits: 0, total: 3 });
  });

  it("tells where a build stands", () => {
    const progress = createProgress({ targets: ["core", "cell"] });
    expect(progress.snapshot()).toEqual({ stage: null, step: 0, steps: 0, cached: false, current: null });
    progress.line(
      vertex("sha256:a", "[cell core 2/3] COPY a /a", { started, completed: started, cached: true }),
    );
    expect(progress.snapshot()).toEqual({
      stage: "core",
      step: 1,
      steps: 1,
      cached: true,
      current: "COPY a /a",
    });
    progress.line(vertex("sha256:b", "[cell linux/amd64 light 1/1] RUN b\n  c", { started }));
    expect(progress.snapshot()).toEqual({
      stage: "light",
      step: 1,
      steps: 2,
      cached: true,
      current: "RUN b   c",
    });
    progress.line(
      vertex("sha256:b", "[cell linux/amd64 light 1/1] RUN b\n  c", { started, completed: started }),
    );
    progress.line(vertex("sha256:c", "[cell] exporting to image", { started }));
    expect(progress.snapshot()).toEqual({
      stage: "light",
      step: 2,
      steps: 2,
      cached: false,
      current: "exporting to image",
    });
  });

  it("knows no stage where the Dockerfile has but one", () => {
    expect(replay("failed-step").progress.snapshot().stage).toBeNull();
  });

  it("reads the image manifest's digest, and none where there are several", () => {
    const { progress } = replay("cached");
    expect(progress.exportedManifest()).toMatch(/^sha256:ff0a2812/);
    progress.line(
      JSON.stringify({
        statuses: [{ id: `exporting manifest sha256:${"0".repeat(64)}`, vertex: "sha256:x" }],
      }),
    );
    expect(progress.exportedManifest()).toBeNull();
  });
});

describe("the error text", () => {
  it("starts at the last ERROR line, without the excerpt of the Dockerfile", () => {
    const text = replay("failed-step").progress.errorText();
    expect(text).toMatch(
      /^ERROR: failed to solve: process ".*" did not complete successfully: exit code: 3$/,
    );
  });

  it("is empty for a success", () => {
    expect(replay("cached").progress.errorText()).toBe("");
  });
});

describe("junk", () => {
  const bad = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.json().map((json) => `{"vertexes":${json},"logs":[${json}],"statuses":${json},"warnings":[${json}]}`),
    fc
      .record({
        digest: fc.anything(),
        name: fc.anything(),
        started: fc.anything(),
        completed: fc.anything(),
        error: fc.anything(),
      })
      .map((one) => safeJson({ vertexes: [one] })),
    fc
      .record({ vertex: fc.anything(), stream: fc.anything(), data: fc.anything(), timestamp: fc.anything() })
      .map((one) =>
        safeJson({ logs: [one], warnings: [one], statuses: [{ ...one, id: one.data, completed: "x" }] }),
      ),
  );

  function safeJson(value: unknown): string {
    try {
      return JSON.stringify(value) ?? "";
    } catch {
      return "{";
    }
  }

  it("never throws, and never lets a control character into the log", () => {
    fc.assert(
      fc.property(fc.array(bad, { maxLength: 20 }), (lines) => {
        const log: string[] = [];
        const progress = createProgress({ onLog: (line) => log.push(line) });
        for (const line of lines) progress.line(line);
        const { hits, total } = progress.cache();
        expect(hits).toBeLessThanOrEqual(total);
        expect(progress.snapshot().step).toBeLessThanOrEqual(progress.snapshot().steps);
        expect(progress.errorText().length).toBeLessThan(210_000);
        for (const line of log) expect(line).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

describe("a COPY that is a vertex of each target, for its digest depends on the target's session", () => {
  const copy = "light 1/1] COPY a /a";
  const done = { started, completed: started };
  const countOf = (...lines: string[]) => {
    const progress = createProgress({ targets: ["prefix", "cell"] });
    lines.forEach(progress.line);
    return { cache: progress.cache(), ran: progress.ran().length };
  };

  it("is one step that ran, where one vertex did the work and the other took it from the cache", () => {
    const lines = [
      vertex("sha256:1", `[prefix ${copy}`, done),
      vertex("sha256:2", `[cell ${copy}`, { ...done, cached: true }),
    ];
    expect(countOf(...lines)).toEqual({ cache: { hits: 0, total: 1 }, ran: 1 });
  });

  it("is one step from the cache, where one vertex was cached and the other never started", () => {
    const lines = [
      vertex("sha256:1", `[prefix ${copy}`, { ...done, cached: true }),
      vertex("sha256:2", `[cell ${copy}`),
    ];
    expect(countOf(...lines)).toEqual({ cache: { hits: 1, total: 1 }, ran: 0 });
  });
});

describe("the parts of a build", () => {
  const at = (second: number) => `2026-01-01T00:00:0${second}Z`;
  const ms = (second: number) => Date.parse(at(second));

  it("are the steps that have ended, in the order in which they began, with the vertex that did the work", () => {
    const progress = createProgress({ targets: ["a", "b"] });
    const tell = (digest: string, name: string, more: object) => progress.line(vertex(digest, name, more));
    tell("1", "[a core 1/3] FROM debian", { started: at(0), completed: at(1) });
    tell("2", "[a core 3/3] RUN later", { started: at(5), completed: at(6) });
    // The same step of two targets: one waits for the other, and ends as cached.
    tell("3", "[b core 2/3] COPY x .", { started: at(2), completed: at(4), cached: true });
    tell("4", "[a core 2/3] COPY x .", { started: at(2), completed: at(3) });
    tell("5", "[a light 1/2] RUN fails", { started: at(6), completed: at(8), error: "exit code: 1" });
    tell("6", "[a light 2/2] RUN stopped", { started: at(6), completed: at(8), error: "context canceled: " });
    tell("7", "[a last 1/1] RUN under way", { started: at(7) });
    expect(progress.parts()).toEqual([
      { part: "[core 2/3] COPY x .", status: "pass", started: ms(2), duration_ms: 1000 },
      { part: "[core 3/3] RUN later", status: "pass", started: ms(5), duration_ms: 1000 },
      { part: "[light 1/2] RUN fails", status: "fail", started: ms(6), duration_ms: 2000 },
    ]);
  });

  it("come from the cache where no vertex did the work, and have no time below zero", () => {
    const progress = createProgress();
    progress.line(vertex("1", "[1/1] RUN x", { started: at(3), completed: at(2), cached: true }));
    expect(progress.parts()).toEqual([
      { part: "[1/1] RUN x", status: "cached", started: ms(3), duration_ms: 0 },
    ]);
  });
});
