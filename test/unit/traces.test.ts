import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { asksForTraces } from "../../src/telemetry/asks-for-traces.ts";
import { openTraces } from "../../src/telemetry/traces.ts";
import type { RunEvent } from "../../src/schemas/types.ts";

interface Sent {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number; message?: string };
}

/** A collector on loopback that keeps what it is sent. */
async function collector(answer: number) {
  const bodies: { url: string | undefined; headers: IncomingHttpHeaders; json: unknown }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const bytes = Buffer.concat(pieces);
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
      bodies.push({ url: request.url, headers: request.headers, json: JSON.parse(plain.toString()) });
      response.writeHead(answer, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const spans = () =>
    bodies.flatMap(({ json }) =>
      (json as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] }).resourceSpans.flatMap((one) =>
        one.scopeSpans.flatMap((scope) => scope.spans),
      ),
    );
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, bodies, spans, close };
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const CELL = "demo.linux-amd64";
const KEPT = { record_id: "r", record: "records/demo/r.json", image: null, duration_ms: 5000 };
const EVENTS: RunEvent[] = [
  {
    v: 1,
    at: at(0),
    type: "run-started",
    plan_ids: ["all"],
    stages: ["build", "smoke"],
    cells: [CELL, "old"],
  },
  {
    v: 1,
    at: at(0),
    type: "cell-ended",
    cell_id: "old",
    manifest_id: "demo",
    platform: "linux/amd64",
    status: "reused",
    expected: true,
    stage: "done",
    class: null,
    cache: { hits: 0, total: 0 },
    notes: [],
    ...KEPT,
  },
  {
    v: 1,
    at: at(1),
    type: "cell-started",
    cell_id: CELL,
    manifest_id: "demo",
    platform: "linux/amd64",
    action: "build",
    reason: "NEW",
  },
  { v: 1, at: at(1), type: "stage-started", cell_id: CELL, stage: "build" },
  {
    v: 1,
    at: at(4),
    type: "part-ended",
    cell_id: CELL,
    stage: "build",
    part: "[core 1/1] RUN make",
    status: "cached",
    started_at: at(2),
    duration_ms: 1000,
  },
  {
    v: 1,
    at: at(4),
    type: "stage-ended",
    cell_id: CELL,
    stage: "build",
    status: "pass",
    class: null,
    duration_ms: 3000,
    evidence: [],
  },
  { v: 1, at: at(4), type: "stage-started", cell_id: CELL, stage: "smoke" },
  {
    v: 1,
    at: at(6),
    type: "part-ended",
    cell_id: CELL,
    stage: "smoke",
    part: "core/runs",
    status: "fail",
    started_at: at(5),
    duration_ms: 1000,
  },
  {
    v: 1,
    at: at(6),
    type: "stage-ended",
    cell_id: CELL,
    stage: "smoke",
    status: "fail",
    class: "smoke-test",
    duration_ms: 2000,
    evidence: [],
  },
  {
    v: 1,
    at: at(7),
    type: "cell-ended",
    cell_id: CELL,
    manifest_id: "demo",
    platform: "linux/amd64",
    status: "fail",
    expected: false,
    stage: "smoke",
    class: "smoke-test",
    cache: { hits: 1, total: 1 },
    notes: ["smoke test core/runs: expected 0, got 1"],
    ...KEPT,
  },
  {
    v: 1,
    at: at(8),
    type: "run-ended",
    summary: { pass: 0, fail: 1, error: 0, reused: 1, unexpected: 1 },
    left_out: [],
    interrupted: false,
    error: null,
  },
];

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

async function traceOf(events: readonly RunEvent[], more: Record<string, string>, answer = 200) {
  const told = await collector(answer);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: told.url, ...more };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const said: string[] = [];
  try {
    const traces = openTraces({ env, version: "0.0.0", say: (line) => said.push(line) });
    for (const event of events) traces.take(event);
    await traces.close();
  } finally {
    await told.close();
  }
  return { ...told, said, sent: told.spans() };
}

describe("the trace of a run", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("has the run, its cells, their stages, steps and tests, under the span that CI has opened", async () => {
    const { sent, said, bodies } = await traceOf(EVENTS, {
      TRACEPARENT: `00-${TRACE}-${PARENT}-01`,
      OTEL_SERVICE_NAME: "images",
      OTEL_RESOURCE_ATTRIBUTES: "team=platform",
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=abc",
    });
    expect(said).toEqual([]);
    expect(bodies[0]).toMatchObject({ url: "/v1/traces", headers: { "x-key": "abc" } });
    expect(JSON.stringify(bodies[0]?.json)).toContain('"images"');
    expect(JSON.stringify(bodies[0]?.json)).toContain('"platform"');
    const named = new Map(sent.map((span) => [span.name, span]));
    const idOf = (name: string) => named.get(name)?.spanId;
    const cell = `cell ${CELL}`;
    expect(new Set(sent.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
    expect(Object.fromEntries(sent.map(({ name, parentSpanId }) => [name, parentSpanId]))).toEqual({
      "factory run": PARENT,
      "cell old": idOf("factory run"),
      [cell]: idOf("factory run"),
      build: idOf(cell),
      "[core 1/1] RUN make": idOf("build"),
      smoke: idOf(cell),
      "core/runs": idOf("smoke"),
    });
    const spent = ({ startTimeUnixNano, endTimeUnixNano }: Sent) =>
      Number((BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1_000_000n);
    expect(Object.fromEntries(sent.map((span) => [span.name, spent(span)]))).toEqual({
      "factory run": 8000,
      "cell old": 0,
      [cell]: 6000,
      build: 3000,
      "[core 1/1] RUN make": 1000,
      smoke: 2000,
      "core/runs": 1000,
    });
    const bad = sent.filter(({ status }) => status.code === 2).map(({ name }) => name);
    expect(bad.sort()).toEqual(["core/runs", "smoke", cell, "factory run"].sort());
    expect(named.get(cell)?.status.message).toBe("smoke test core/runs: expected 0, got 1");
    expect(named.get("cell old")?.attributes).toContainEqual({
      key: "cicd.pipeline.task.run.result",
      value: { stringValue: "skip" },
    });
  });

  it("is a trace of its own where CI has none, or none that can be read", async () => {
    const { sent } = await traceOf(EVENTS, { TRACEPARENT: "00-zz-\u001b[31m-01" });
    const run = sent.find(({ name }) => name === "factory run");
    expect(run?.parentSpanId ?? "").toBe("");
    expect(sent).toHaveLength(7);
  });

  it("is not sent where CI does not sample it", async () => {
    const { sent, bodies } = await traceOf(EVENTS, { TRACEPARENT: `00-${TRACE}-${PARENT}-00` });
    expect([sent, bodies]).toEqual([[], []]);
  });

  it("is sent as far as it goes where the run breaks off", async () => {
    const [started, , cell, stage] = EVENTS as [RunEvent, RunEvent, RunEvent, RunEvent];
    const error = { code: "WRITE_FAILED", what: "the disk is full" };
    const summary = { pass: 0, fail: 0, error: 0, reused: 0, unexpected: 0 };
    const ended: RunEvent = {
      v: 1,
      at: at(9),
      type: "run-ended",
      summary,
      left_out: [],
      interrupted: false,
      error,
    };
    const { sent } = await traceOf([started, cell, stage, ended], {});
    expect(sent.map(({ name }) => name).sort()).toEqual(["build", `cell ${CELL}`, "factory run"].sort());
    expect(sent.find(({ name }) => name === "factory run")?.status.message).toBe("the disk is full");
  });

  it("costs a warning where the collector refuses it, and no more", async () => {
    const { said } = await traceOf(EVENTS, {}, 400);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^warning: the trace is not complete: .*Bad Request/);
  });
});

it.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: " " }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:1" }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "TRUE" }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_TRACES_EXPORTER: "none" }, false],
])("traces are made where the environment asks for them: %o", (env, asked) => {
  expect(asksForTraces(env)).toBe(asked);
});
