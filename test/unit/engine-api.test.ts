import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { createContainers } from "../../src/tools/containers.ts";
import { createDocker } from "../../src/tools/docker.ts";
import { createEngineApi, type EngineApi } from "../../src/tools/engine-api.ts";
import type { Endpoint } from "../../src/tools/engine-endpoint.ts";

type Answers = Record<string, RequestListener>;

/** Answers by method and path without the version; `_ping` is answered. What has no answer is a 404. */
function listener(answers: Answers, seen: string[]): RequestListener {
  return (request, response) => {
    const path = (request.url ?? "").replace(/^\/v[\d.]+/, "");
    seen.push(`${request.method} ${request.url}`);
    const answer = answers[`${request.method} ${path.split("?")[0]}`];
    if (path === "/_ping" && !answer) response.setHeader("api-version", "1.51").end("OK");
    else if (answer) answer(request, response);
    else response.writeHead(404).end(JSON.stringify({ message: "no such thing" }));
  };
}

function closeAfterwards(server: Server): void {
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
}

/** An engine behind a socket of its own. */
async function onSocket(answers: Answers) {
  const folder = mkdtempSync(join(tmpdir(), "factory-api-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const seen: string[] = [];
  const server = createServer(listener(answers, seen));
  const path = join(folder, "docker.sock");
  server.listen(path);
  await once(server, "listening");
  closeAfterwards(server);
  return { path, seen };
}

function apiAt(endpoint: Endpoint, more: Partial<Parameters<typeof createEngineApi>[0]> = {}): EngineApi {
  const dial = () => Promise.reject(new Error("not in the script"));
  return createEngineApi({ endpoint: () => endpoint, dial, env: {}, ...more });
}

const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    void response.end(JSON.stringify(value));
const frame = (stream: number, text: string) => {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};

describe("a tag that another process moves at the same time", () => {
  /** What an engine says whose tag came back between its removing and its making it. */
  const RACE = "failed to create an image a:1 after deleting the existing one: AlreadyExists: already exists";
  const dockerThatSays = async (answers: readonly (readonly [status: number, words: string])[]) => {
    let asked = 0;
    const { path } = await onSocket({
      "POST /images/b/tag": (_request, response) => {
        const [status, message] = answers[asked++] ?? [201, ""];
        response.writeHead(status).end(status === 201 ? "" : JSON.stringify({ message }));
      },
    });
    const exec = () => Promise.reject(new Error("not in the script"));
    return { docker: createDocker({ exec, api: apiAt({ kind: "socket", path }) }), asked: () => asked };
  };

  it.each([500, 404, 409])("is asked for again, where the engine says so with %i", async (status) => {
    const { docker, asked } = await dockerThatSays([
      [status, RACE],
      [status, RACE],
    ]);
    await docker.tagImage("b", "a:1");
    expect(asked()).toBe(3);
  });

  it("ends as an error where that never stops", async () => {
    const { docker, asked } = await dockerThatSays(Array.from({ length: 50 }, () => [500, RACE] as const));
    await expect(docker.tagImage("b", "a:1")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(asked()).toBe(10);
  });

  it("is asked for once where it fails for another reason", async () => {
    const { docker, asked } = await dockerThatSays([[500, "no space left on device"]]);
    await expect(docker.tagImage("b", "a:1")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    expect(asked()).toBe(1);
  });
});

describe("the engine's API", () => {
  it("is spoken over a socket, in a version that both know", async () => {
    const { path, seen } = await onSocket({ "GET /containers/json": json([{ Id: "a" }]) });
    const api = apiAt({ kind: "socket", path });
    expect(
      await api.json("GET", "/containers/json", { query: { all: true, filters: { a: ["b&"] } } }),
    ).toEqual([{ Id: "a" }]);
    expect(seen).toEqual([
      "GET /_ping",
      "GET /v1.51/containers/json?all=true&filters=%7B%22a%22%3A%5B%22b%26%22%5D%7D",
    ]);
  });

  const versions: [string, string, string | undefined][] = [
    ["1.44", "/v1.44/x", undefined],
    ["1.60", "/v1.51/x", undefined],
    ["1.51", "/v1.43/x", "1.43"],
  ];
  it.each(versions)("takes the smaller version: the engine has %s", async (engine, asked, pinned) => {
    const ping: RequestListener = (_request, response) =>
      void response.setHeader("api-version", engine).end();
    const { path, seen } = await onSocket({ "GET /_ping": ping, "GET /x": json(1) });
    await apiAt({ kind: "socket", path }, { env: { DOCKER_API_VERSION: pinned } }).json("GET", "/x");
    expect(seen.at(-1)).toBe(`GET ${asked}`);
  });

  it("is spoken over TCP with a prefix, and through a connection that is handed in", async () => {
    const seen: string[] = [];
    const server = createServer(
      listener({ "GET /x": json("there"), "GET /deep/v1.51/x": json("below") }, seen),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closeAfterwards(server);
    const { port } = server.address() as AddressInfo;
    const tcp = { kind: "tcp", host: "127.0.0.1", port, prefix: "", tls: null } as const;
    expect(await apiAt(tcp).json("GET", "/x")).toBe("there");
    const below = apiAt({ ...tcp, prefix: "/deep" }, { env: { DOCKER_API_VERSION: "1.51" } });
    expect(await below.json("GET", "/x")).toBe("below");
    const dial = () => Promise.resolve(connect(port, "127.0.0.1"));
    expect(await apiAt({ kind: "dial", host: "ssh://far" }, { dial }).json("GET", "/x")).toBe("there");
  });

  it("says where no engine answers, and asks again the next time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "factory-api-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const api = apiAt({ kind: "socket", path: join(folder, "none.sock") });
    for (const path of ["/x", "/y"]) {
      await expect(api.json("GET", path)).rejects.toMatchObject({
        code: "ENGINE_UNREACHABLE",
        message: expect.stringContaining(`unix://${folder}/none.sock`) as string,
      });
    }
  });

  it("ends at once at a signal, also where the engine never answers, and has bounded time else", async () => {
    const never: RequestListener = () => undefined;
    const silent: Answers[] = [{ "GET /x": never }, { "GET /_ping": never }];
    for (const answers of silent) {
      const { path } = await onSocket(answers);
      const interrupt = new AbortController();
      const asked = apiAt({ kind: "socket", path }).json("GET", "/x", { signal: interrupt.signal });
      setImmediate(() => interrupt.abort());
      await expect(asked).rejects.toMatchObject({ code: "INTERRUPTED" });
    }
    const { path } = await onSocket({ "GET /x": never });
    const late = apiAt({ kind: "socket", path }).json("GET", "/x", { timeoutMs: 20 });
    await expect(late).rejects.toMatchObject({ code: "ENGINE_UNREACHABLE" });
  });

  it("gives the engine's words where it refuses, and its own where the answer is none", async () => {
    const plain: RequestListener = (_request, response) => void response.writeHead(502).end("bad gateway");
    const half: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setImmediate(() => response.destroy());
    };
    const text: RequestListener = (_request, response) => void response.end("<html>");
    const { path } = await onSocket({ "GET /plain": plain, "GET /half": half, "GET /text": text });
    const api = apiAt({ kind: "socket", path });
    await expect(api.json("GET", "/none")).rejects.toMatchObject({ status: 404, message: "no such thing" });
    await expect(api.json("GET", "/plain")).rejects.toMatchObject({ status: 502, message: "bad gateway" });
    await expect(api.json("GET", "/half")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
    await expect(api.json("GET", "/text")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });
});

describe("containers through the API", () => {
  it("give what a program wrote, taken apart however it comes in pieces", async () => {
    const bytes = Buffer.concat([frame(1, "out "), frame(2, "err"), frame(1, "more"), frame(1, "")]);
    const { path } = await onSocket({
      "POST /containers/c/exec": json({ Id: "e" }),
      "POST /exec/e/start": (_request, response) => {
        for (const byte of bytes) response.write(Buffer.from([byte]));
        response.end();
      },
      "GET /exec/e/json": json({ Running: false, ExitCode: 3, Pid: 7 }),
    });
    const containers = createContainers(apiAt({ kind: "socket", path }));
    expect(await containers.exec("c", ["x"], { maxBytes: 100 })).toEqual({
      value: { exitCode: 3, started: true, stdout: "out more", stderr: "err", overflowed: false },
    });
    expect(await containers.exec("c", ["x"], { maxBytes: 5 })).toMatchObject({
      value: { exitCode: null, stdout: "out m", overflowed: true },
    });
  });

  it("tell what was written before the signal", async () => {
    const interrupt = new AbortController();
    const body = Readable.from(
      (async function* () {
        yield await Promise.resolve(frame(1, "half"));
        interrupt.abort();
        throw new Error("aborted");
      })(),
    );
    const api = {
      json: () => Promise.resolve({ Id: "e" }),
      stream: () => Promise.resolve({ headers: {}, body }),
    };
    const containers = createContainers(api as unknown as EngineApi);
    const ran = await containers.exec("c", ["x"], { maxBytes: 100, signal: interrupt.signal });
    expect(ran).toMatchObject({ value: { exitCode: null, stdout: "half", overflowed: false } });
  });

  it("tell a path that is not there from an engine that refuses", async () => {
    const refuse =
      (status: number, message: string): RequestListener =>
      (_request, response) =>
        void response.writeHead(status).end(JSON.stringify({ message }));
    const { path } = await onSocket({
      "GET /containers/c/archive": refuse(404, "Could not find the file /x in container c"),
      "GET /containers/d/archive": refuse(404, "No such container: d"),
    });
    const containers = createContainers(apiAt({ kind: "socket", path }));
    expect(await containers.archive("c", "/x")).toBeUndefined();
    expect(await containers.archive("d", "/x")).toEqual({ refused: "No such container: d" });
    expect(await containers.stat("c", "/x")).toBeUndefined();
    expect(await containers.inspect("none")).toBeUndefined();
  });

  it("are aged by the engine's clock", async () => {
    const { path } = await onSocket({
      "GET /containers/json": (_request, response) => {
        response.setHeader("date", new Date(5_000_000).toUTCString());
        response.end(JSON.stringify([{ Id: "c", Labels: { a: "b" }, Created: 4_000 }]));
      },
    });
    const containers = createContainers(apiAt({ kind: "socket", path }));
    expect(await containers.list("a")).toEqual([{ id: "c", labels: { a: "b" }, ageS: 1000 }]);
  });

  it("are removed once, whoever else removes them, and one that stays is told", async () => {
    const conflict =
      (message: string): RequestListener =>
      (_request, response) =>
        void response.writeHead(409).end(JSON.stringify({ message }));
    const { path } = await onSocket({
      "DELETE /containers/going": conflict("removal of container going is already in progress"),
      "DELETE /containers/stays": conflict("device is busy"),
    });
    const containers = createContainers(apiAt({ kind: "socket", path }));
    await containers.remove("gone");
    await containers.remove("going");
    await expect(containers.remove("stays")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });
});

describe("images through the API", () => {
  const dockerAt = (api: EngineApi) =>
    createDocker({ exec: () => Promise.reject(new Error("no program")), api });

  it("are asked for by platform, and an engine that cannot tell platforms apart must have that one", async () => {
    const image = { Id: "sha256:1", Os: "linux", Architecture: "amd64" };
    const answers = { "GET /images/a/json": json(image) };
    const { path, seen } = await onSocket(answers);
    await dockerAt(apiAt({ kind: "socket", path })).inspectImage("a", { platform: "linux/arm/v7" });
    expect(decodeURIComponent(seen.at(-1) ?? "")).toContain(
      '?platform={"os":"linux","architecture":"arm","variant":"v7"}',
    );
    const old: RequestListener = (_request, response) => void response.setHeader("api-version", "1.44").end();
    const older = await onSocket({ ...answers, "GET /_ping": old });
    const docker = dockerAt(apiAt({ kind: "socket", path: older.path }));
    expect(await docker.inspectImage("a", { platform: "linux/amd64" })).toEqual(image);
    expect(older.seen.at(-1)).toBe("GET /v1.44/images/a/json");
    await expect(docker.inspectImage("a", { platform: "linux/arm64" })).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });

  it("that break off while they are saved are an error", async () => {
    const { path } = await onSocket({
      "GET /images/a/get": (_request, response) => {
        response.write("tar");
        setImmediate(() => response.destroy());
      },
    });
    const { stdout, done } = await dockerAt(apiAt({ kind: "socket", path })).saveImage("a");
    stdout.resume();
    await expect(done).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  });
});
