import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { createMask } from "../../src/model/mask.ts";
import type { RunEvent } from "../../src/schemas/types.ts";
import { createWorld } from "../../src/world.ts";
import { idAt, record } from "../unit/records-made.ts";
import { factoryAtOnce, makeWorkspace } from "../unit/workspace.ts";

afterEach(() => vi.unstubAllEnvs());

function worldOf(env: Record<string, string>, said: string[] = []) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return createWorld(env, {
    mask: createMask(),
    say: (line) => said.push(line),
    signal: () => new AbortController().signal,
    retries: () => ({ tries: 1, wait_s: 0, most_s: 0 }),
  });
}

const AT = "2026-01-01T00:00:00.000Z";
const started: RunEvent = { v: 1, at: AT, type: "run-started", plan_ids: ["all"], stages: [], cells: [] };
const ended = (what: string): RunEvent => ({
  v: 1,
  at: AT,
  type: "run-ended",
  summary: { pass: 0, fail: 0, error: 0, reused: 0, unexpected: 0 },
  left_out: [],
  interrupted: false,
  error: { code: "INTERNAL", what },
});

it("9.17 a name that a record was given by hand is one value of one label, and adds no line", async () => {
  const root = makeWorkspace();
  const evil = 'x"} 1\nfactory_cell_passes{cell_id="forged"} 1\n# \u001b[31m';
  const forged = record({ record_id: idAt(1), result: { status: "fail", class: "step", stage: evil } });
  mkdirSync(join(root, "records/demo"), { recursive: true });
  writeFileSync(
    join(root, `records/demo/${idAt(1)}.json`),
    JSON.stringify({ ...forged, result: { ...forged.result, stages_ms: { [evil]: 5 } } }),
  );
  const { status, stdout } = await factoryAtOnce(root, ["metrics"]);
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/^factory_cell_passes\{cell_id="forged"/m);
  expect(stdout).not.toContain("\u001b");
});

it("9.17 a FIFO, a folder and a device are no events, and nothing hangs on them", async () => {
  const root = makeWorkspace();
  execFileSync("mkfifo", [join(root, "pipe")]);
  for (const file of ["pipe", "manifests", "/dev/zero"]) {
    const { status, stderr } = await factoryAtOnce(root, ["metrics", "--events", file]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(`cannot read ${file}`)]);
  }
});

it("9.17 a trace has no secret of the environment in it", async () => {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.on("data", (piece: Buffer) => bodies.push(piece.toString()));
    request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const traces = await worldOf({ OTEL_EXPORTER_OTLP_ENDPOINT: url, DEPLOY_TOKEN: "hunter2hunter2" }).traces();
  traces?.take(started);
  traces?.take(ended("cannot log in with hunter2hunter2"));
  await traces?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(bodies.join("")).toContain("cannot log in with ***");
  expect(bodies.join("")).not.toContain("hunter2");
});

it("9.17 a collector that takes a connection and never answers is waited for as long as is said", async () => {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => void sockets.push(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://user:pass-word@127.0.0.1:${port}`;
  const said: string[] = [];
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_TIMEOUT: "300" };
  const traces = await worldOf(env, said).traces();
  traces?.take(started);
  traces?.take(ended("x"));
  await traces?.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  expect(said).toEqual([expect.stringMatching(/^warning: the trace is not complete: /)]);
  expect(said.join()).not.toContain("pass-word");
});
