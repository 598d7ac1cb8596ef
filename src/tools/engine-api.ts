import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { type Duplex, pipeline, Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import { type Endpoint, endpointText } from "./engine-endpoint.ts";

/** The newest version of the API that is used; an older engine gets its own version. */
const API_VERSION = "1.51";

/** How long an answer may take to begin, in milliseconds, by default. */
const ANSWER_MS = 120_000;

const FIX = "start the engine, or point DOCKER_HOST or `docker context` at one that runs";

/** The engine's refusal of a request: its HTTP status, and its own words. */
export class EngineRefusal extends Error {
  readonly status: number;
  constructor(status: number, words: string) {
    super(words);
    this.name = "EngineRefusal";
    this.status = status;
  }
}

export interface AskOptions {
  /** Objects are sent as JSON; undefined is left out. */
  query?: Record<string, string | number | boolean | object | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  /** A tar, sent as it comes in place of a body. What it throws is thrown on. */
  tar?: AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
  /** How long the answer may take to begin; null for no limit. Default: two minutes. */
  timeoutMs?: number | null;
}

export interface Answer {
  headers: IncomingMessage["headers"];
  /** Ends with the answer; destroying it ends the connection. */
  body: Readable;
}

/** The HTTP API of a Docker engine. Paths go without a version: `/containers/json`. */
export interface EngineApi {
  endpoint: () => Endpoint;
  /** The version of the API that is used, such as `1.51`. @throws FactoryError ENGINE_UNREACHABLE */
  version: () => Promise<string>;
  /** @throws EngineRefusal for a status of 400 and above; FactoryError ENGINE_UNREACHABLE, INTERRUPTED */
  stream: (method: string, path: string, options?: AskOptions) => Promise<Answer>;
  /** The whole answer, as JSON; null if it is empty. @throws as `stream` */
  json: <T>(method: string, path: string, options?: AskOptions) => Promise<T>;
}

interface EngineApiDeps {
  endpoint: () => Endpoint;
  /** A connection through `docker system dial-stdio`. */
  dial: () => Promise<Duplex>;
  env: { DOCKER_API_VERSION?: string };
  /** Gets a line for each request, for `--verbose`. */
  trace?: (line: string) => void;
}

/** A part of a path: an id or a reference. Its slashes and colons stay as they are. */
export function pathPart(text: string): string {
  return encodeURIComponent(text).replace(/%2F/g, "/").replace(/%3A/g, ":").replace(/%40/g, "@");
}

/** A platform such as `linux/arm/v7` in the form of the API. */
export function platformQuery(platform: string | undefined): object | undefined {
  if (platform === undefined) return undefined;
  const [os, architecture, variant] = platform.split("/");
  return { os, architecture, ...(variant ? { variant } : {}) };
}

function queryText(query: AskOptions["query"] = {}): string {
  const text = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const said = typeof value === "object" ? JSON.stringify(value) : String(value);
      return `${name}=${encodeURIComponent(said)}`;
    })
    .join("&");
  return text === "" ? "" : `?${text}`;
}

function interrupted(): FactoryError {
  return new FactoryError("INTERRUPTED", "interrupted while the engine was asked");
}

function unreachable(endpoint: Endpoint, words: string, cause?: unknown): FactoryError {
  const what = `the Docker engine at ${endpointText(endpoint)} does not answer: ${words}`;
  return new FactoryError("ENGINE_UNREACHABLE", what, { fix: FIX, cause });
}

/** A whole body as text. @throws FactoryError ENGINE_FAILED if it breaks off */
export async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (cause) {
    throw new FactoryError("ENGINE_FAILED", `the engine's answer broke off: ${(cause as Error).message}`, {
      cause,
    });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusalWords(text: string, status: number): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === "string" && message !== "") return message.trim();
  } catch {
    // Not in the engine's own form: perhaps from a proxy.
  }
  return text.trim() || `status ${status}`;
}

function smaller(a: string, b: string): string {
  const [[aMajor = 0, aMinor = 0], [bMajor = 0, bMinor = 0]] = [
    a.split(".").map(Number),
    b.split(".").map(Number),
  ];
  return aMajor < bMajor || (aMajor === bMajor && aMinor < bMinor) ? a : b;
}

/** The value, unless the signal fires first. */
async function unlessAborted<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return value;
  let stop = () => {};
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(interrupted());
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([value, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

/** How to connect, as options of node:http and node:https. */
async function connection(endpoint: Endpoint, dial: EngineApiDeps["dial"]): Promise<RequestOptions> {
  if (endpoint.kind === "socket") return { agent: false, socketPath: endpoint.path };
  if (endpoint.kind === "tcp") {
    const { host, port, tls } = endpoint;
    if (!tls) return { agent: false, host, port };
    const { ca, cert, key, verify } = tls;
    return { agent: false, host, port, ca, cert, key, rejectUnauthorized: verify } as RequestOptions;
  }
  const stream = await dial();
  // With an agent, it would make the connection itself.
  return { createConnection: () => stream };
}

/** Talks to a Docker engine over its socket, with one connection per request; `endpoint` is called when it is first needed. */
export function createEngineApi({ endpoint: resolve, dial, env, trace }: EngineApiDeps): EngineApi {
  let resolved: Endpoint | undefined;
  const endpoint = () => (resolved ??= resolve());
  let asked: Promise<string> | undefined;

  const send = async (method: string, path: string, options: AskOptions): Promise<Answer> => {
    const { query, body, tar, signal, timeoutMs = ANSWER_MS } = options;
    const to = endpoint();
    if (signal?.aborted) throw interrupted();
    const { request } = await (to.kind === "tcp" && to.tls ? import("node:https") : import("node:http"));
    const data = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      host: "docker",
      ...(data === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(data) }),
      ...(tar && { "content-type": "application/x-tar", "transfer-encoding": "chunked" }),
    };
    const target = `${to.kind === "tcp" ? to.prefix : ""}${path}${queryText(query)}`;
    trace?.(`+ ${method} ${target}`);
    const connect = await connection(to, dial);
    let timer: NodeJS.Timeout | undefined;
    let late = false;
    try {
      const incoming = await new Promise<IncomingMessage>((done, fail) => {
        const outgoing: ClientRequest = request({ ...connect, method, path: target, headers, signal }, done);
        outgoing.on("error", fail);
        if (timeoutMs !== null) {
          timer = setTimeout(() => {
            late = true;
            outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
          }, timeoutMs);
        }
        // What goes wrong with it ends the request, which tells it.
        if (tar) pipeline(Readable.from(tar, { objectMode: false }), outgoing, () => undefined);
        else outgoing.end(data);
      });
      const { statusCode: status = 0 } = incoming;
      if (status >= 400) throw new EngineRefusal(status, refusalWords(await textOf(incoming), status));
      return { headers: incoming.headers, body: incoming };
    } catch (error) {
      if (error instanceof EngineRefusal || error instanceof FactoryError) throw error;
      if (signal?.aborted && !late) throw interrupted();
      throw unreachable(to, (error as Error).message, error);
    } finally {
      clearTimeout(timer);
    }
  };

  const negotiate = async (): Promise<string> => {
    if (env.DOCKER_API_VERSION) return env.DOCKER_API_VERSION;
    const { headers, body } = await send("GET", "/_ping", { timeoutMs: 30_000 });
    body.resume();
    return smaller(String(headers["api-version"] ?? API_VERSION), API_VERSION);
  };
  const version = () =>
    (asked ??= negotiate().catch((error: unknown) => {
      asked = undefined;
      throw error;
    }));

  const stream: EngineApi["stream"] = async (method, path, options = {}) =>
    send(method, `/v${await unlessAborted(version(), options.signal)}${path}`, options);
  return {
    endpoint,
    version,
    stream,
    json: async <T>(method: string, path: string, options?: AskOptions): Promise<T> => {
      const text = await textOf((await stream(method, path, options)).body);
      try {
        return (text === "" ? null : JSON.parse(text)) as T;
      } catch (cause) {
        throw new FactoryError("ENGINE_FAILED", `the engine's answer to ${method} ${path} is not JSON`, {
          cause,
        });
      }
    },
  };
}
