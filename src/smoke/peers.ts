import type { SmokeService } from "../schemas/types.ts";
import { createContainer, createNetwork, release } from "./containers.ts";
import { endingOf } from "./ending.ts";
import { couldNotRun, observed, type Outcome, outcomeOf } from "./outcome.ts";
import { lastLines } from "./service-log.ts";
import { type SmokeContext, withSettings } from "./suite-run.ts";
import { waitFor, waitText } from "./wait.ts";

/** The words of an engine that does not have an image. */
const NO_IMAGE = /no such image/i;

/** Creates a service's container. Its image is pulled if the engine does not have it: it is pinned. */
async function create(context: SmokeContext, name: string, { image, argv }: SmokeService) {
  const use = { image, alias: name, command: argv, network: "none", logs: true } as const;
  const created = await createContainer(context, use);
  if ("id" in created || image === undefined || !NO_IMAGE.test(created.refused)) return created;
  const { docker, platform, signal } = context;
  const words = await docker.pull(image, { platform, signal });
  signal.throwIfAborted();
  return words === undefined ? createContainer(context, use) : { refused: words };
}

/** Starts one service, and waits until it is ready. null if it is. */
async function start(
  context: SmokeContext,
  [name, service]: readonly [string, SmokeService],
  { ids, timeoutMs }: { ids: string[]; timeoutMs: number },
): Promise<Outcome | null> {
  const { image, wait_for, ...settings } = service;
  const own = { ...withSettings(context, settings), mounts: new Map<string, string>(), gpus: undefined };
  const expected = `the service ${name} ${wait_for ? `starts, and ${waitText(wait_for)}` : "starts"}`;
  // What the tested image does as a service is its own doing; another image says nothing about it.
  const bad = (actual: string) =>
    image === undefined ? outcomeOf([observed(false, expected, actual)]) : couldNotRun(expected, actual);
  const created = await create(own, name, service);
  if ("refused" in created) return couldNotRun(expected, created.refused);
  const { id } = created;
  ids.push(id);
  const started = await context.docker.containers.start(id, context.signal);
  if ("refused" in started) {
    const ending = await endingOf(own, id);
    return ending.how === "never-ran" && ending.ofImage
      ? bad(ending.why)
      : couldNotRun(expected, started.refused);
  }
  if (!wait_for) return null;
  // The timer keeps its controller: a signal of AbortSignal.timeout that only AbortSignal.any knows may be collected.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const stop = AbortSignal.any([context.signal, late.signal]);
  const seen = await waitFor(own, id, wait_for, { stop }).finally(() => clearTimeout(timer));
  if (seen === null) return null;
  const ending = await endingOf(own, id);
  const lines = await lastLines(own, id);
  if (ending.how === "killed") return couldNotRun(expected, `${ending.why}; ${lines}`);
  if (ending.how !== "exited") return bad(`not within ${timeoutMs / 1000} s: ${seen}; ${lines}`);
  const memory = ending.outOfMemory ? `, it needed more than ${own.limits.memory_mb} MiB of memory` : "";
  return bad(`it exited with ${ending.exitCode}${memory}; ${lines}`);
}

/** Containers that run beside the tested one, in a private network. */
export interface Peers {
  /** The network's name, once all of them are ready; or why they are not. They are started at the first call. */
  ready: () => Promise<{ network: string } | { outcome: Outcome }>;
  close: () => Promise<void>;
}

/**
 * The services beside the tested container. They see nobody but each other and it.
 * @param timeoutMs how long each may take to be ready
 */
export function createPeers(
  context: SmokeContext,
  services: Readonly<Record<string, SmokeService>>,
  timeoutMs: number,
): Peers {
  const ids: string[] = [];
  const startAll = async (): Promise<{ network: string } | { outcome: Outcome }> => {
    const made = await createNetwork(context);
    if ("refused" in made) return { outcome: couldNotRun("a private network", made.refused) };
    const inside = { ...context, network: made.name };
    const outcomes = await Promise.all(
      Object.entries(services).map((service) => start(inside, service, { ids, timeoutMs })),
    );
    const outcome = outcomes.find((one) => one !== null);
    return outcome ? { outcome } : { network: made.name };
  };
  let started: ReturnType<typeof startAll> | undefined;
  return {
    ready: () => (started ??= startAll()),
    close: async () => {
      await started?.catch(() => undefined);
      for (const id of ids.splice(0)) release(context, id);
    },
  };
}
