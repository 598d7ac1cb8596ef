import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";

/** How to use TLS with an engine: PEM texts, and whether its certificate has to be valid. */
export interface EngineTls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  verify: boolean;
}

/** Where an engine listens. */
export type Endpoint =
  | { kind: "socket"; path: string }
  /** `prefix` comes before each path of the API: empty, or such as `/engine`. */
  | { kind: "tcp"; host: string; port: number; prefix: string; tls: EngineTls | null }
  /** Only docker's command line can reach it (ssh): `docker system dial-stdio` is the connection. */
  | { kind: "dial"; host: string };

const DEFAULT_HOST =
  process.platform === "win32" ? "npipe:////./pipe/docker_engine" : "unix:///var/run/docker.sock";

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new FactoryError("FILE_UNREADABLE", `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function readJson<T>(file: string): Partial<T> | undefined {
  const bytes = readIfThere(file);
  if (!bytes) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch (cause) {
    throw new FactoryError("FILE_UNREADABLE", `${file} is not JSON`, {
      fix: "correct it: docker reads it too",
      cause,
    });
  }
}

function tlsIn(folder: string, verify: boolean): EngineTls {
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => readIfThere(join(folder, name)));
  return { ca, cert, key, verify };
}

/** Reads a host as docker writes it: `unix:///var/run/docker.sock`, `tcp://host:2375`, `host:2375`, `ssh://user@host`. */
function endpointOf(host: string, tls: () => EngineTls | null): Endpoint {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(host) ?? [];
  if (scheme === "unix" || scheme === "npipe") return { kind: "socket", path: rest };
  if (scheme !== "tcp") return { kind: "dial", host };
  try {
    const { hostname, port, pathname } = new URL(`http://${rest}`);
    const secured = tls();
    return {
      kind: "tcp",
      host: hostname.replace(/^\[|\]$/g, ""),
      // URL drops port 80, the default of its scheme.
      port: Number(port || (/:80(\/|$)/.test(rest) ? 80 : secured ? 2376 : 2375)),
      prefix: pathname.replace(/\/$/, ""),
      tls: secured,
    };
  } catch (cause) {
    throw new FactoryError("ENGINE_UNREACHABLE", `${host} is not an address of a Docker engine`, {
      fix: "set DOCKER_HOST to such as unix:///var/run/docker.sock or tcp://host:2376",
      cause,
    });
  }
}

interface ContextMeta {
  Endpoints: { docker?: { Host?: string; SkipTLSVerify?: boolean } };
}

/** A context's files are in a folder named by the sha256 of its name. */
function endpointOfContext(name: string, config: string): Endpoint {
  const id = createHash("sha256").update(name).digest("hex");
  const docker = readJson<ContextMeta>(join(config, "contexts", "meta", id, "meta.json"))?.Endpoints?.docker;
  if (!docker?.Host) {
    throw new FactoryError("ENGINE_UNREACHABLE", `docker has no context ${JSON.stringify(name)}`, {
      fix: "see `docker context ls`; DOCKER_CONTEXT and `docker context use` choose one",
    });
  }
  return endpointOf(docker.Host, () => {
    const tls = tlsIn(join(config, "contexts", "tls", id, "docker"), docker.SkipTLSVerify !== true);
    return tls.ca || tls.cert || docker.SkipTLSVerify === true ? tls : null;
  });
}

/**
 * The engine that docker's command line would talk to: DOCKER_HOST (with DOCKER_TLS_VERIFY, DOCKER_TLS, DOCKER_CERT_PATH),
 * else the context that DOCKER_CONTEXT or `currentContext` of docker's config.json names, else the default socket.
 * DOCKER_CONFIG moves docker's own folder.
 * @throws FactoryError ENGINE_UNREACHABLE for an unknown context, FILE_UNREADABLE
 */
export function resolveEndpoint(env: NodeJS.ProcessEnv): Endpoint {
  const config = env.DOCKER_CONFIG || join(env.HOME || homedir(), ".docker");
  if (!env.DOCKER_HOST) {
    const name =
      env.DOCKER_CONTEXT || readJson<{ currentContext: string }>(join(config, "config.json"))?.currentContext;
    if (name && name !== "default") return endpointOfContext(name, config);
  }
  const verify = Boolean(env.DOCKER_TLS_VERIFY);
  const tls = () => (verify || env.DOCKER_TLS ? tlsIn(env.DOCKER_CERT_PATH || config, verify) : null);
  return endpointOf(env.DOCKER_HOST || DEFAULT_HOST, tls);
}

/** Whether the engine certainly runs on this machine. */
export function isOnThisMachine(endpoint: Endpoint): boolean {
  return endpoint.kind === "socket";
}

/** The endpoint as docker would write it, for people. */
export function endpointText(endpoint: Endpoint): string {
  if (endpoint.kind === "socket") return `unix://${endpoint.path}`;
  if (endpoint.kind === "dial") return endpoint.host;
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return `tcp://${host}:${endpoint.port}${endpoint.prefix}`;
}
