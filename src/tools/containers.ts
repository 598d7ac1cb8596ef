import type { Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import { execIn, type Executed, type ExecInOptions } from "./container-exec.ts";
import { type AskOptions, type EngineApi, EngineRefusal, pathPart, textOf } from "./engine-api.ts";
import { type Output, readOutput } from "./multiplexed.ts";

/** What a container is made of, in the words of the engine's API (`POST /containers/create`). */
export interface ContainerSpec {
  Image: string;
  Entrypoint?: string[];
  Cmd?: string[];
  User?: string;
  /** `NAME=value` */
  Env?: string[];
  Labels: Record<string, string>;
  ExposedPorts?: Record<string, object>;
  Healthcheck?: { Test: string[] };
  Volumes?: Record<string, object>;
  HostConfig: Record<string, unknown>;
  NetworkingConfig?: { EndpointsConfig: Record<string, { Aliases: string[] }> };
}

/** The state of a container, as the engine reports it. */
export interface ContainerState {
  /** Also true if it is paused. */
  Running: boolean;
  Paused?: boolean;
  OOMKilled: boolean;
  ExitCode: number;
  /** The engine's words if the container could not be started. */
  Error: string;
  /** Begins with `0001-` if it never was. */
  StartedAt: string;
  FinishedAt: string;
}

export interface ContainerInfo {
  State: ContainerState;
  NetworkSettings?: { Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> | null };
}

export interface ListedContainer {
  id: string;
  labels: Record<string, string>;
  /** Seconds since it was made, by the engine's clock. */
  ageS: number;
}

/** What is at a path of a container. */
export interface PathStat {
  size: number;
  mode: number;
}

/** What the engine answers, or its words if it refuses. */
export type Refusable<T> = { value: T } | { refused: string };

/** The containers of an engine, by id or name. Every call may throw ENGINE_UNREACHABLE and INTERRUPTED. */
export interface Containers {
  /** Nothing is pulled. Gives the container's id. */
  create: (
    spec: ContainerSpec,
    options: { name: string; platform?: string; timeoutMs: number },
  ) => Promise<Refusable<string>>;
  start: (id: string, signal?: AbortSignal) => Promise<Refusable<null>>;
  /** The output of a container that is about to be started; `ended` resolves when it ends. */
  attach: (
    id: string,
    options: { maxBytes: number; signal?: AbortSignal },
  ) => Promise<Refusable<{ ended: Promise<Output> }>>;
  /** Runs a program in a running container until it ends or the signal fires; then it gives what was written so far. */
  exec: (id: string, argv: readonly string[], options: ExecInOptions) => Promise<Refusable<Executed>>;
  /** Resolves when the container has ended or is gone. */
  wait: (id: string, signal?: AbortSignal) => Promise<void>;
  /** undefined if there is no such container. */
  inspect: (id: string, signal?: AbortSignal) => Promise<ContainerInfo | undefined>;
  /** The last lines that it wrote. */
  logs: (id: string, options: { tail: number; maxBytes: number }) => Promise<Output>;
  /** How many processes it has; null if the engine does not say. */
  processes: (id: string, signal?: AbortSignal) => Promise<number | null>;
  /** What is at a path; links on the way are followed, the last one is not. undefined if there is nothing. */
  stat: (id: string, path: string, signal?: AbortSignal) => Promise<PathStat | undefined>;
  /** A tar of what is at a path; undefined if there is nothing. */
  archive: (id: string, path: string, signal?: AbortSignal) => Promise<Refusable<Readable> | undefined>;
  /** Whether somebody asked the engine to send it a signal. */
  wasKilled: (id: string, state: ContainerState) => Promise<boolean>;
  /** Kills and removes it with its anonymous volumes; one that is gone is fine. @throws FactoryError ENGINE_FAILED */
  remove: (id: string) => Promise<void>;
  /** All that have a label, running or not: `name` or `name=value`. @throws FactoryError ENGINE_FAILED */
  list: (label: string) => Promise<ListedContainer[]>;
}

/** Something of a container that does not exist. */
const ABSENT = /Could not find the file|not a directory|no such file or directory/i;

function isRefusal(error: unknown, ...statuses: number[]): error is EngineRefusal {
  return error instanceof EngineRefusal && (statuses.length === 0 || statuses.includes(error.status));
}

async function refusable<T>(ask: () => Promise<T>): Promise<Refusable<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (isRefusal(error)) return { refused: error.message };
    throw error;
  }
}

/** The time in the form of the API's filters: seconds and nanoseconds since 1970. */
function eventTime(time: string): string {
  const nanos = /\.(\d{1,9})/.exec(time)?.[1] ?? "0";
  return `${Math.floor(Date.parse(time) / 1000)}.${nanos.padEnd(9, "0")}`;
}

export function createContainers(api: EngineApi): Containers {
  const of = (id: string, rest = "") => `/containers/${pathPart(id)}${rest}`;
  const failed = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      throw isRefusal(error) ? new FactoryError("ENGINE_FAILED", `${what}: ${error.message}`) : error;
    }
  };
  const streamed = async (method: string, path: string, options: AskOptions, maxBytes: number) => {
    const { body } = await api.stream(method, path, options);
    return readOutput(body, maxBytes).finally(() => body.destroy());
  };

  return {
    create: (spec, { name, platform, timeoutMs }) =>
      refusable(async () => {
        const query = { name, platform };
        return (
          await api.json<{ Id: string }>("POST", "/containers/create", { query, body: spec, timeoutMs })
        ).Id;
      }),
    start: (id, signal) =>
      refusable(async () => api.json<null>("POST", of(id, "/start"), { signal, timeoutMs: null })),
    attach: (id, { maxBytes, signal }) =>
      refusable(async () => {
        const query = { stream: true, stdout: true, stderr: true };
        const { body } = await api.stream("POST", of(id, "/attach"), { query, signal });
        return { ended: readOutput(body, maxBytes).finally(() => body.destroy()) };
      }),
    exec: (id, argv, options) => refusable(() => execIn(api, id, argv, options)),
    wait: async (id, signal) => {
      await api.json("POST", of(id, "/wait"), { signal, timeoutMs: null }).catch((error: unknown) => {
        if (!isRefusal(error, 404)) throw error;
      });
    },
    inspect: async (id, signal) => {
      try {
        return await api.json<ContainerInfo>("GET", of(id, "/json"), { signal });
      } catch (error) {
        if (isRefusal(error, 404)) return undefined;
        throw isRefusal(error) ? new FactoryError("ENGINE_FAILED", error.message) : error;
      }
    },
    logs: async (id, { tail, maxBytes }) => {
      const query = { stdout: true, stderr: true, tail };
      return streamed("GET", of(id, "/logs"), { query }, maxBytes).catch((error: unknown) => {
        if (isRefusal(error)) return { stdout: "", stderr: "", overflowed: false };
        throw error;
      });
    },
    processes: async (id, signal) => {
      const query = { stream: false, "one-shot": true };
      const found = await refusable(() =>
        api.json<{ pids_stats?: { current?: number } }>("GET", of(id, "/stats"), { query, signal }),
      );
      return "value" in found ? (found.value.pids_stats?.current ?? null) : null;
    },
    stat: async (id, path, signal) => {
      try {
        const { headers, body } = await api.stream("HEAD", of(id, "/archive"), { query: { path }, signal });
        body.resume();
        const text = Buffer.from(String(headers["x-docker-container-path-stat"] ?? ""), "base64").toString(
          "utf8",
        );
        return JSON.parse(text) as PathStat;
      } catch (error) {
        if (isRefusal(error) || error instanceof SyntaxError) return undefined;
        throw error;
      }
    },
    archive: async (id, path, signal) => {
      const found = await refusable(
        async () => (await api.stream("GET", of(id, "/archive"), { query: { path }, signal })).body,
      );
      return "refused" in found && ABSENT.test(found.refused) ? undefined : found;
    },
    wasKilled: async (id, { StartedAt, FinishedAt }) => {
      if (FinishedAt.startsWith("0001-")) return false;
      const filters = { container: [id], event: ["kill"] };
      const query = { since: eventTime(StartedAt), until: eventTime(FinishedAt), filters };
      const { body } = await failed("events", () => api.stream("GET", "/events", { query }));
      return (await textOf(body)).trim() !== "";
    },
    remove: async (id) => {
      await api.json("DELETE", of(id), { query: { force: true, v: true } }).catch((error: unknown) => {
        if (isRefusal(error, 404) || (isRefusal(error, 409) && /already in progress/.test(error.message)))
          return;
        if (!isRefusal(error)) throw error;
        throw new FactoryError("ENGINE_FAILED", `a container could not be removed: ${error.message}`, {
          fix: `docker rm --force --volumes ${id}`,
        });
      });
    },
    list: async (label) => {
      const query = { all: true, filters: { label: [label] } };
      const { headers, body } = await failed("listing containers", () =>
        api.stream("GET", "/containers/json", { query }),
      );
      const now = Date.parse(String(headers.date ?? "")) / 1000 || Date.now() / 1000;
      const listed = JSON.parse(await textOf(body)) as {
        Id: string;
        Labels: Record<string, string>;
        Created: number;
      }[];
      return listed.map(({ Id, Labels, Created }) => ({ id: Id, labels: Labels, ageS: now - Created }));
    },
  };
}
