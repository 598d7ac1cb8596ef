import { randomUUID } from "node:crypto";
import type { ContainerSpec } from "../tools/containers.ts";
import type { Docker } from "../tools/docker.ts";
import type { OwnerState } from "../tools/lease.ts";
import type { SmokeContext } from "./suite-run.ts";

/** Whose a container is. */
const OWNER_LABEL = "io.factory.owner";
const SUITE_LABEL = "io.factory.suite";
/** How many seconds after it was made a container is nobody's, whoever owned it. */
const LIFE_LABEL = "io.factory.life-s";

/** The life of a container that does not tell: those of older versions. */
const UNTOLD_LIFE_S = 24 * 3600;

/** The most that is kept of a container's output. */
export const OUTPUT_BYTES = 1024 * 1024;

/** Creating may unpack a large image first. */
export const CREATE_MS = 10 * 60 * 1000;

/** What of a container's settings its use decides. */
interface Use {
  entrypoint?: readonly string[];
  command?: readonly string[];
  network: "none" | "bridge";
  /** Ports to publish on random ports of 127.0.0.1. */
  ports?: readonly number[];
  /** Whether its output is kept; a service that chatters may not fill the disk. */
  logs?: boolean;
  /** Processes beside those that the limit allows. */
  morePids?: number;
  hostConfig?: Record<string, unknown>;
}

const TMP = "rw,exec,nosuid,nodev,size=64m,mode=1777";

function specOf(context: SmokeContext, use: Use): ContainerSpec {
  const { image, limits, gpus, owner, suite, lifeS } = context;
  const memory = limits.memory_mb * 1024 * 1024;
  const ports = (use.ports ?? []).map((port) => `${port}/tcp`);
  const devices =
    gpus === undefined ? [] : [{ Driver: "", Count: gpus === "all" ? -1 : gpus, Capabilities: [["gpu"]] }];
  return {
    Image: image,
    ...(use.entrypoint ? { Entrypoint: [...use.entrypoint], Cmd: [...(use.command ?? [])] } : {}),
    Labels: { [OWNER_LABEL]: owner, [SUITE_LABEL]: suite, [LIFE_LABEL]: String(lifeS) },
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: use.network,
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": TMP },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Memory: memory,
      MemorySwap: memory,
      PidsLimit: limits.pids + (use.morePids ?? 0),
      DeviceRequests: devices,
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: "127.0.0.1", HostPort: "" }]])),
      LogConfig: use.logs
        ? { Type: "local", Config: { "max-size": "1m", "max-file": "2" } }
        : { Type: "none", Config: {} },
      ...use.hostConfig,
    },
  };
}

/** A container that was created, or the engine's words where it refused. */
export type Created = { id: string } | { refused: string };

/**
 * Creates a container within the sandbox of smoke tests: read-only but for a small /tmp, without capabilities and new
 * privileges, with memory and process limits. It is created before it is started, and creating is never
 * cut short: from here on its name is enough to remove it for good.
 * @throws FactoryError INTERRUPTED where the suite is interrupted already
 */
export async function createContainer(context: SmokeContext, use: Use): Promise<Created> {
  context.signal.throwIfAborted();
  const { platform, docker } = context;
  const options = { name: `factory-smoke-${randomUUID()}`, platform, timeoutMs: CREATE_MS };
  const made = await docker.containers.create(specOf(context, use), options);
  return "value" in made ? { id: made.value } : made;
}

/** Starts to remove a container; the suite waits for that before it ends. */
export function release(context: SmokeContext, id: string): void {
  context.removals.push(
    context.docker.containers.remove(id).then(
      () => null,
      (error: unknown) => error as Error,
    ),
  );
}

async function removeAll(ids: readonly string[], docker: Docker): Promise<number> {
  await Promise.all(ids.map((id) => docker.containers.remove(id)));
  return ids.length;
}

/**
 * Removes what a suite left behind that was interrupted while the engine was still creating.
 * @throws FactoryError ENGINE_FAILED
 */
export async function removeContainersOfSuite(suite: string, docker: Docker): Promise<number> {
  const listed = await docker.containers.list(`${SUITE_LABEL}=${suite}`);
  return removeAll(
    listed.map(({ id }) => id),
    docker,
  );
}

/**
 * Removes the containers that killed processes left. Those of an owner of whom nothing can be known (another machine that
 * shares the engine, another PID namespace) stay until their time is over, which stands in their label.
 * @returns how many there were
 * @throws FactoryError ENGINE_FAILED, ENGINE_UNREACHABLE
 */
export async function removeOrphans(docker: Docker, stateOf: (owner: string) => OwnerState): Promise<number> {
  const containers = await docker.containers.list(OWNER_LABEL);
  const left = containers.filter(({ labels, ageS }) => {
    const state = stateOf(labels[OWNER_LABEL] ?? "");
    const told = Number(labels[LIFE_LABEL] ?? Number.NaN);
    return state === "dead" || (state === "unknown" && ageS > (Number.isFinite(told) ? told : UNTOLD_LIFE_S));
  });
  return removeAll(
    left.map(({ id }) => id),
    docker,
  );
}
