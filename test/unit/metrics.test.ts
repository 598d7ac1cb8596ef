import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/telemetry/read-events.ts";
import { recordMetrics } from "../../src/telemetry/record-metrics.ts";
import type { FactoryRecord, RunEvent } from "../../src/schemas/types.ts";
import { idAt, record } from "./records-made.ts";
import { factoryAtOnce, makeWorkspace, sha256 } from "./workspace.ts";

const key = (of: string) => `sha256:${sha256(of)}`;
const IMAGE = {
  ref: "demo:1",
  digest: key("image"),
  manifest_digest: key("image"),
  size: 1000,
  layers: 3,
};

async function metricsOf(records: readonly FactoryRecord[], unreadable = 0): Promise<string[]> {
  const registry = new Registry();
  const { take, end } = recordMetrics(registry);
  records.forEach(take);
  end(unreadable);
  return (await registry.metrics()).split("\n");
}

/** One sample, as Prometheus reads it. */
const SAMPLE =
  /^[a-z_]+(\{[a-z_]+="(\\["\\n]|[^"\\\n])*"(,[a-z_]+="(\\["\\n]|[^"\\\n])*")*\})? -?[0-9.e+Inf-]+$/;

describe("what records say in numbers", () => {
  it("counts attempts, and tells of a cell what its newest verdict says", async () => {
    const stages_ms = { build: 2000, smoke: 500 };
    const lines = await metricsOf([
      record({
        record_id: idAt(4),
        result: { status: "error", class: "environment", stage: "smoke", duration_ms: 1, stages_ms },
      }),
      record({
        record_id: idAt(3),
        verdict_key: key("a"),
        cache: { hits: 1, total: 4 },
        retries: 2,
        result: { status: "fail", class: "smoke-test", stage: "smoke", expected: false, stages_ms },
      }),
      record({
        record_id: idAt(2),
        verdict_key: key("a"),
        image: IMAGE,
        cache: { hits: 3, total: 3 },
        result: { status: "pass", class: null, duration_ms: 90_000, stages_ms },
      }),
      // Only its tag was set: its times are those of the record that proves it.
      record({
        record_id: idAt(1),
        verdict_key: key("b"),
        image: { ...IMAGE, size: 1 },
        proven_by: idAt(0),
        result: { status: "pass", class: null, duration_ms: 90_000, stages_ms },
      }),
    ]);
    const cell = 'manifest_id="demo",cell_id="demo.linux-amd64",platform="linux/amd64"';
    for (const line of [
      'factory_attempts_total{manifest_id="demo",platform="linux/amd64",action="retag",status="pass",class="",expected="true"} 1',
      'factory_attempts_total{manifest_id="demo",platform="linux/amd64",action="build",status="fail",class="smoke-test",expected="false"} 1',
      'factory_attempt_duration_seconds_count{manifest_id="demo",action="build",status="pass"} 1',
      'factory_attempt_duration_seconds_sum{manifest_id="demo",action="build",status="pass"} 90',
      'factory_stage_duration_seconds_sum{manifest_id="demo",stage="build"} 6',
      'factory_build_steps_total{manifest_id="demo",platform="linux/amd64",cached="true"} 4',
      'factory_build_steps_total{manifest_id="demo",platform="linux/amd64",cached="false"} 3',
      'factory_retries_total{manifest_id="demo"} 2',
      `factory_cell_passes{${cell}} 0`,
      `factory_image_size_bytes{${cell}} 1000`,
      `factory_image_layers{${cell}} 3`,
      'factory_flaky_verdict_keys{manifest_id="demo"} 1',
      "factory_records_unreadable 0",
    ])
      expect(lines).toContain(line);
    expect(lines.some((line) => /action="retag"/.test(line) && line.includes("duration"))).toBe(false);
  });

  it("says nothing of a cell for an image in other layers, and tells tests again from builds", async () => {
    const repacked = {
      record_id: idAt(1),
      digest: IMAGE.digest,
      manifest_digest: IMAGE.digest,
      with: "zstd" as const,
    };
    const result = { status: "pass" as const, class: null, stages_ms: { smoke: 5 } };
    const lines = await metricsOf([
      record({ record_id: idAt(2), image: IMAGE, repacked, result }),
      record({ record_id: idAt(1), cell_id: "demo.linux-arm64", image: IMAGE, result }),
    ]);
    const all = lines.join("\n");
    expect(all).toContain('action="repack"');
    expect(all).toContain('action="retest"');
    expect(lines.filter((line) => line.startsWith("factory_cell_passes{"))).toEqual([
      'factory_cell_passes{manifest_id="demo",cell_id="demo.linux-arm64",platform="linux/amd64"} 1',
    ]);
  });

  it("are lines that Prometheus can read, whatever a record says", () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string(), async (cell_id, platform) => {
        const lines = await metricsOf([record({ cell_id, platform, image: IMAGE })]);
        const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
        expect(samples.length).toBeGreaterThan(5);
        for (const line of samples) expect(line).toMatch(SAMPLE);
      }),
    ));
});

async function* inPieces(text: string, ...cuts: number[]) {
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts.sort((a, b) => a - b), bytes.length]) {
    await Promise.resolve();
    yield bytes.subarray(from, Math.min(cut, bytes.length));
    from = Math.min(cut, bytes.length);
  }
}

const NOTE: RunEvent = {
  v: 1,
  at: "2026-01-01T00:00:00.000Z",
  type: "note",
  level: "note",
  cell_id: null,
  text: "é🏭",
};

async function read(pieces: AsyncIterable<Uint8Array>) {
  const bad: number[] = [];
  const events: RunEvent[] = [];
  for await (const event of readEvents(pieces, "x", (line) => bad.push(line))) events.push(event);
  return { bad, events };
}

describe("reading the events of a run", () => {
  it("gives every event, however the bytes come", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400)), async (cuts) => {
        const text = `${JSON.stringify(NOTE)}\n\n${JSON.stringify(NOTE)}\n`;
        expect(await read(inPieces(text, ...cuts))).toEqual({ bad: [], events: [NOTE, NOTE] });
      }),
    ));

  it("names lines that are no events, and passes over types that are not known yet", async () => {
    const lines = [
      "nonsense",
      JSON.stringify({ v: 1, type: "later", at: "x" }),
      JSON.stringify({ ...NOTE, level: "other" }),
      "null",
      JSON.stringify(NOTE),
      JSON.stringify({ v: 1, type: "part-ended", at: "x" }),
      '{"v":1,"ty',
    ];
    expect(await read(inPieces(lines.join("\n")))).toEqual({ bad: [1, 3, 4, 6, 7], events: [NOTE] });
  });

  it("ends where a line does not end", async () => {
    async function* endless() {
      await Promise.resolve();
      for (;;) yield Buffer.alloc(1 << 20, "x");
    }
    await expect(read(endless())).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  });
});

describe("factory metrics", () => {
  const ended = (record_id: string): RunEvent => ({
    v: 1,
    at: "2026-01-01T00:01:00.000Z",
    type: "cell-ended",
    cell_id: "demo.linux-amd64",
    manifest_id: "demo",
    platform: "linux/amd64",
    status: "reused",
    expected: true,
    stage: "done",
    class: null,
    record_id,
    record: "x",
    image: null,
    cache: { hits: 0, total: 0 },
    duration_ms: 0,
    notes: [],
  });

  it("writes records and runs as text, as JSON, and to a file; what is no record is told and counted", async () => {
    const old = record({ record_id: idAt(1), result: { duration_ms: 60_000 } });
    const root = makeWorkspace({ "events.ndjson": `${JSON.stringify(ended(idAt(1)))}\nbroken\n` });
    mkdirSync(join(root, "records/demo"), { recursive: true });
    writeFileSync(join(root, `records/demo/${old.record_id}.json`), JSON.stringify(old));
    writeFileSync(join(root, `records/demo/${idAt(2)}.json`), "{");
    const text = await factoryAtOnce(root, ["metrics", "--events", "events.ndjson"]);
    expect(text.status).toBe(0);
    expect(text.stdout).toContain('factory_reuse_saved_seconds_total{manifest_id="demo"} 60\n');
    expect(text.stdout).toContain("factory_records_unreadable 1\n");
    expect(text.stderr).toContain("warning: 1 line of `events.ndjson` are no events");
    const json = await factoryAtOnce(root, ["--json", "metrics", "--since", "2999-01-01"]);
    const { metrics } = JSON.parse(json.stdout) as { metrics: { name: string; samples: unknown[] }[] };
    expect(metrics.find(({ name }) => name === "factory_attempts_total")?.samples).toEqual([]);
    const file = await factoryAtOnce(root, ["metrics", "-o", "out/factory.prom"]);
    expect(file.stdout).toBe("written to out/factory.prom\n");
    expect(readFileSync(join(root, "out/factory.prom"), "utf8")).toMatch(/\n$/);
    const missing = await factoryAtOnce(root, ["metrics", "--events", "none"]);
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining("cannot read none")]);
  });
});
