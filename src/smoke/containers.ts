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
  /** Default: the image that is tested. */
  image?: string;
  /** Its host name in the private network, for a container that is only in that. */
  alias?: string;
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

const MIB = 1024 * 1024;

/**
 * A writable folder as a volume in memory. What lies in it can be asked for, and it is writable for every user, which is
 * not so for the engine's own tmpfs: that takes over the mode of a folder of the image.
 */
export function inMemory(path: string, options = "size=64m,mode=1777,nosuid,nodev"): object {
  return {
    Type: "volume",
    Target: path,
    VolumeOptions: {
      NoCopy: true,
      DriverConfig: { Name: "local", Options: { type: "tmpfs", device: "tmpfs", o: options } },
    },
  };
}

/** Variables as the engine takes them. */
export function envList(env: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}

function labelsOf({ owner, suite, lifeS }: SmokeContext): Record<string, string> {
  return { [OWNER_LABEL]: owner, [SUITE_LABEL]: suite, [LIFE_LABEL]: String(lifeS) };
}

/** What the settings of a test add to its container. */
function settled({ settings, mounts }: SmokeContext): { spec: Partial<ContainerSpec>; hostConfig: object } {
  const { env, user, shm_mb, tmpfs = [] } = settings;
  const more = [
    ...[...mounts].map(([Target, Source]) => ({ Type: "bind", Source, Target, ReadOnly: true })),
    ...tmpfs.map((path) => inMemory(path)),
  ];
  return {
    spec: { ...(env ? { Env: envList(env) } : {}), ...(user === undefined ? {} : { User: user }) },
    hostConfig: {
      Tmpfs: { "/tmp": TMP },
      ...(shm_mb === undefined ? {} : { ShmSize: shm_mb * MIB }),
      ...(more.length > 0 ? { Mounts: more } : {}),
    },
  };
}

function specOf(context: SmokeContext, use: Use): ContainerSpec {
  const { limits, gpus, network } = context;
  const memory = limits.memory_mb * MIB;
  const ports = (use.ports ?? []).map((port) => `${port}/tcp`);
  const devices =
    gpus === undefined ? [] : [{ Driver: "", Count: gpus === "all" ? -1 : gpus, Capabilities: [["gpu"]] }];
  const own = settled(context);
  // A container with ports is in the engine's default network too: a private one publishes none.
  const joins = network !== undefined && use.network === "none" ? network : undefined;
  return {
    Image: use.image ?? context.image,
    ...(use.entrypoint ? { Entrypoint: [...use.entrypoint], Cmd: [...(use.command ?? [])] } : {}),
    ...(use.entrypoint || !use.command ? {} : { Cmd: [...use.command] }),
    ...own.spec,
    Labels: labelsOf(context),
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: joins ?? use.network,
      ReadonlyRootfs: true,
      ...own.hostConfig,
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
    ...(joins !== undefined && use.alias !== undefined
      ? { NetworkingConfig: { EndpointsConfig: { [joins]: { Aliases: [use.alias] } } } }
      : {}),
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
  const { platform, docker, network, signal } = context;
  const options = { name: `factory-smoke-${randomUUID()}`, platform, timeoutMs: CREATE_MS };
  const made = await docker.containers.create(specOf(context, use), options);
  if ("refused" in made) return made;
  const { value: id } = made;
  if (network === undefined || use.network === "none") return { id };
  const connected = await docker.networks.connect(network, id, signal).catch((error: unknown) => {
    release(context, id);
    throw error;
  });
  if ("value" in connected) return { id };
  release(context, id);
  return connected;
}

/** Makes a private network for containers of a suite. It goes when the suite ends. */
export async function createNetwork(context: SmokeContext): Promise<{ name: string } | { refused: string }> {
  context.signal.throwIfAborted();
  const name = `factory-smoke-${randomUUID()}`;
  context.networks.push(name);
  // It is made whole or not at all: the signal only ends later work.
  const made = await context.docker.networks.create(name, labelsOf(context));
  return "value" in made ? { name } : made;
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

/** Removes networks that have no containers any more. @returns what went wrong first, or null */
export async function removeNetworks(names: readonly string[], docker: Docker): Promise<Error | null> {
  const ended = await Promise.allSettled(names.map((name) => docker.networks.remove(name)));
  const failed = ended.find((one) => one.status === "rejected");
  return (failed?.reason as Error | undefined) ?? null;
}

/**
 * Removes the containers and networks that killed processes left. Those of an owner of whom nothing can be known (another
 * machine that shares the engine, another PID namespace) stay until their time is over, which stands in their label.
 * @returns how many containers there were
 * @throws FactoryError ENGINE_FAILED, ENGINE_UNREACHABLE
 */
export async function removeOrphans(docker: Docker, stateOf: (owner: string) => OwnerState): Promise<number> {
  const isLeft = ({ labels, ageS }: { labels: Record<string, string>; ageS: number }) => {
    const state = stateOf(labels[OWNER_LABEL] ?? "");
    const told = Number(labels[LIFE_LABEL] ?? Number.NaN);
    return state === "dead" || (state === "unknown" && ageS > (Number.isFinite(told) ? told : UNTOLD_LIFE_S));
  };
  const [containers, networks] = await Promise.all([
    docker.containers.list(OWNER_LABEL),
    docker.networks.list(OWNER_LABEL),
  ]);
  const removed = await removeAll(
    containers.filter(isLeft).map(({ id }) => id),
    docker,
  );
  const failed = await removeNetworks(
    networks.filter(isLeft).map(({ name }) => name),
    docker,
  );
  if (failed) throw failed;
  return removed;
}
