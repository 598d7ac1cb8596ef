import type {
  Containers,
  ContainerSpec,
  ContainerState,
  ListedContainer,
} from "../../src/tools/containers.ts";
import type { Docker, ImageInspect } from "../../src/tools/docker.ts";
import type { Networks } from "../../src/tools/networks.ts";

/** What a script does not have is an error of the test. */
function onlyScripted<T extends object>(name: string, script: Partial<T>): T {
  return new Proxy(script, {
    get: (target, key) =>
      Reflect.get(target, key) ??
      (key === "then"
        ? undefined
        : () => Promise.reject(new Error(`not in the script: ${name}.${String(key)}`))),
  }) as T;
}

/** A docker that does what the script has, and refuses everything else. */
export function scriptedDocker(script: Partial<Docker>): Docker {
  return onlyScripted("docker", script);
}

interface Made {
  id: string;
  spec: ContainerSpec;
  platform: string | undefined;
  state: ContainerState;
}

/** How the programs of a scripted image behave. */
interface Behaviour {
  /** What a program that is run in a container comes to. A rejection stands for an engine that broke off. */
  exec?: (
    argv: readonly string[],
    container: Made,
    signal: AbortSignal | undefined,
  ) => Promise<Partial<Ran>> | Partial<Ran>;
  /** Changes the state of a container that is started; gives the engine's words where it cannot be. */
  start?: (container: Made) => string | undefined;
  create?: (spec: ContainerSpec) => string | undefined;
  remove?: (id: string) => void;
  more?: Partial<Containers>;
  listed?: ListedContainer[];
}

interface Ran {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  overflowed: boolean;
  started: boolean;
}

const STARTED: ContainerState = {
  Running: true,
  OOMKilled: false,
  ExitCode: 0,
  Error: "",
  StartedAt: "2026-01-01T00:00:00Z",
  FinishedAt: "0001-01-01T00:00:00Z",
};

/** Containers in memory, of an image whose programs behave as told. Tells all that was done, in order. */
export function scriptedContainers(behaviour: Behaviour = {}) {
  const there = new Map<string, Made>();
  const calls: string[] = [];
  const specs: Made[] = [];
  let count = 0;
  const containers = onlyScripted<Containers>("containers", {
    create: (spec, { platform }) => {
      const refused = behaviour.create?.(spec);
      if (refused !== undefined) return Promise.resolve({ refused });
      const id = `c${(count += 1)}`;
      const state = { ...STARTED, Running: false, StartedAt: "0001-01-01T00:00:00Z" };
      const made = { id, spec, platform, state };
      there.set(id, made);
      specs.push(made);
      calls.push(`create ${id}`);
      return Promise.resolve({ value: id });
    },
    start: (id) => {
      calls.push(`start ${id}`);
      const made = there.get(id);
      if (!made) return Promise.resolve({ refused: `No such container: ${id}` });
      const refused = behaviour.start?.(made);
      if (refused !== undefined) return Promise.resolve({ refused });
      made.state = { ...STARTED };
      return Promise.resolve({ value: null });
    },
    exec: async (id, argv, { signal }) => {
      calls.push(`exec ${id} ${argv.join(" ")}`);
      const made = there.get(id);
      if (!made) return { refused: `No such container: ${id}` };
      const ran = (await behaviour.exec?.(argv, made, signal)) ?? {};
      return { value: { exitCode: 0, stdout: "", stderr: "", overflowed: false, started: true, ...ran } };
    },
    inspect: (id) => Promise.resolve(there.has(id) ? { State: (there.get(id) as Made).state } : undefined),
    processes: () => Promise.resolve(1),
    stat: () => Promise.resolve({ size: 40, mode: 0 }),
    wasKilled: () => Promise.resolve(false),
    remove: async (id) => {
      await Promise.resolve();
      behaviour.remove?.(id);
      there.delete(id);
      calls.push(`remove ${id}`);
    },
    list: () => Promise.resolve(behaviour.listed ?? []),
    ...behaviour.more,
  });
  return { containers, calls, specs, there };
}

/** Networks in memory; what is done with them is told in `calls`. */
export function scriptedNetworks(calls: string[], more: Partial<Networks> = {}): Networks {
  return onlyScripted<Networks>("networks", {
    create: (name) => (calls.push(`network ${name}`), Promise.resolve({ value: null })),
    connect: (name, id) => (calls.push(`connect ${id} ${name}`), Promise.resolve({ value: null })),
    remove: (name) => (calls.push(`remove network ${name}`), Promise.resolve()),
    list: () => Promise.resolve([]),
    ...more,
  });
}

/** An image whose user is no root. */
export const IMAGE: ImageInspect = {
  Id: `sha256:${"0".repeat(64)}`,
  Architecture: "amd64",
  Os: "linux",
  Size: 1,
  Config: { User: "1000" },
};
