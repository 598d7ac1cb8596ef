import { FactoryError } from "../errors.ts";
import type { ImageInspect } from "../tools/docker.ts";
import { type Created, createContainer, release } from "./containers.ts";
import { allowsSharing, createExecutor } from "./execute.ts";
import { scriptPlace, type Tools } from "./kinds/kind.ts";
import { portOf, turnOf } from "./kinds/kinds.ts";
import { lookAt } from "./look.ts";
import { couldNotRun } from "./outcome.ts";
import type { Peers } from "./peers.ts";
import { createService } from "./service.ts";
import type { PlannedTest, Setup } from "./setups.ts";
import { type SmokeContext, withSettings } from "./suite-run.ts";
import { createChain } from "./test-chain.ts";

/** Where the tests of one setup are run. */
export interface Bench {
  /** What a test may do with the image. */
  toolsFor: (test: PlannedTest) => Tools;
  /** What a test runs in: tests with the same name run one after the other; undefined for at any time. */
  laneOf: (test: PlannedTest) => string | undefined;
  /** Lets go of what a test used; called when the last one of its lane that uses it is done. */
  closeOf: (test: PlannedTest) => () => void | Promise<void>;
}

/** A container to look at, created when it is first asked for, and never run. */
function containerToLookAt(context: SmokeContext) {
  let created: Promise<Created> | undefined;
  return {
    get: () =>
      (created ??= createContainer(context, { network: "none", entrypoint: ["/factory-only-looks"] })),
    close: async () => {
      const made = await created?.catch(() => undefined);
      if (made && "id" in made) release(context, made.id);
    },
  };
}

interface BenchParts {
  image: ImageInspect;
  setup: Setup;
  /** The services beside its containers; undefined for none. */
  peers: Peers | undefined;
  /** Where a private copy of a script is. @throws FactoryError WRITE_FAILED */
  copyOf: (script: string) => string;
}

/** What runs in the containers of a setup, once it is known which network they are in. */
function openContainers(context: SmokeContext, { chain, tests }: Setup, mayShare: boolean) {
  const asked = tests.flatMap(({ check, timeoutMs }) => {
    const port = check && portOf(check);
    return port === undefined ? [] : [{ port, timeoutMs }];
  });
  const ports = [...new Set(asked.map(({ port }) => port))];
  const service = createService(context, ports, Math.max(0, ...asked.map(({ timeoutMs }) => timeoutMs)));
  const executor = createExecutor(context, mayShare);
  const chained = chain && createChain(context, chain === "service" ? service.container : undefined);
  return {
    request: service.request,
    executeFor: ({ settings, test }: PlannedTest) =>
      // The settings of the first are those of the container itself.
      chained ? chained.executeWith(test.after === undefined ? {} : settings) : executor.execute,
    closeCommands: () => (chained ?? executor).close(),
    closeService: service.close,
  };
}

/** Opens what the tests of one setup run in; containers are made when they are first needed. */
export function openBench(context: SmokeContext, parts: BenchParts): Bench {
  const { image, setup, peers, copyOf } = parts;
  const { settings, scripts, key, chain } = setup;
  const { docker, platform, signal, contents } = context;
  const mayShare = key === "" && allowsSharing(image, context.gpus);
  const settled = withSettings(context, settings);
  let opened: ReturnType<typeof openContainers> | undefined;

  /** Its containers, when all that they need is there. */
  const open = async (expected: string) => {
    if (opened) return { opened };
    if (scripts.length > 0 && !docker.isLocal())
      return {
        outcome: couldNotRun(expected, "a script is mounted from this machine, and the engine is elsewhere"),
      };
    const ready = await peers?.ready();
    if (ready && "outcome" in ready) return ready;
    const mounts = new Map(scripts.map((path) => [scriptPlace(path), copyOf(path)] as const));
    opened ??= openContainers({ ...settled, mounts, network: ready?.network }, setup, mayShare);
    return { opened };
  };

  const looked = containerToLookAt(context);
  /** What was asked, or in an answer why that failed. */
  const told = <T>(ask: () => Promise<T>): Promise<T | { error: string }> =>
    ask().catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof FactoryError) return { error: error.message };
      throw error;
    });
  /** The same of unpacked layers: one that is not unpacked counts as nothing. */
  const unpacked = async <T>(ask: () => Promise<T>): Promise<T | { error: string }> => {
    const created = await looked.get();
    return "refused" in created ? { error: created.refused } : told(ask);
  };
  const toolsFor = (test: PlannedTest): Tools => ({
    execute: async (program, judge) => {
      const there = await open(program.argv.join(" "));
      return "outcome" in there ? there.outcome : there.opened.executeFor(test)(program, judge);
    },
    request: async (request, about) => {
      const there = await open(about.expected);
      return "outcome" in there ? there : there.opened.request(request, about);
    },
    lookAt: async (path) => {
      const created = await looked.get();
      return "refused" in created ? { error: created.refused } : lookAt(context, created.id, path);
    },
    image,
    unpackedSize: () => unpacked(() => docker.unpackedSize(context.image, { platform, signal })),
    layers: () => unpacked(contents.layers),
    packages: () => told(contents.packages),
    filesOf: contents.filesOf,
    limits: settled.limits,
  });

  const turn = ({ check }: PlannedTest) => check && turnOf(check, mayShare);
  const closeCommands = () => opened?.closeCommands();
  const closeService = () => opened?.closeService();
  const closeAll = async () => {
    closeCommands();
    await closeService();
  };
  return {
    toolsFor,
    laneOf: (test) => {
      if (settings.services) return `services ${JSON.stringify(settings.services)}`;
      if (chain) return key;
      const own = turn(test);
      return own === undefined ? undefined : `${own} ${key}`;
    },
    closeOf: (test) => {
      if (chain) return closeAll;
      const own = turn(test);
      if (own === "service") return closeService;
      if (own === "commands") return closeCommands;
      return looked.close;
    },
  };
}
