import { setTimeout as delay } from "node:timers/promises";
import { createContainer, release } from "./containers.ts";
import { endingOf } from "./ending.ts";
import { ask } from "./http-client.ts";
import type { Answer } from "./http-client.ts";
import type { ServiceRequest, Tools } from "./kinds/kind.ts";
import { couldNotRun, observed, outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { lastLines } from "./service-log.ts";
import type { SmokeContext } from "./suite-run.ts";
import { BACKOFF, waitFor, waitText } from "./wait.ts";

/** How long the engine may need to tell that a container has exited whose port is gone, in milliseconds. */
const EXIT_NEWS_MS = 500;

/** A service that runs, on a host port for each of its ports. */
interface Running {
  id: string;
  hostPorts: Map<number, number>;
  /** Ports that have answered before: a request to them is never repeated. */
  answered: Set<number>;
  /** Aborted when the container exits. */
  exited: AbortSignal;
  /** Whether what is waited for before the first request has come true. */
  ready: boolean;
}

/** What every request to a service comes to that does not run. */
type NotRunning = { outcome: Outcome };

/** What the end of a service's container comes to for a test. */
async function exitOutcome(context: SmokeContext, id: string, expected: string): Promise<Outcome> {
  const [ending, lines] = await Promise.all([endingOf(context, id), lastLines(context, id)]);
  if (ending.how === "killed") return couldNotRun(expected, `${ending.why}; ${lines}`);
  const code = ending.how === "exited" ? ending.exitCode : "?";
  const memory =
    ending.how === "exited" && ending.outOfMemory
      ? `, it needed more than ${context.limits.memory_mb} MiB of memory`
      : "";
  return outcomeOf([observed(false, expected, `the container exited with ${code}${memory}; ${lines}`)]);
}

function watchExit(context: SmokeContext, id: string): AbortSignal {
  const exit = new AbortController();
  const tell = () => exit.abort();
  // The container's removal ends the call too.
  context.removals.push(
    context.docker.containers.wait(id).then(
      () => (tell(), null),
      (error: unknown) => (tell(), error as Error),
    ),
  );
  return exit.signal;
}

async function hostPortsOf(context: SmokeContext, id: string): Promise<Map<number, number>> {
  const info = await context.docker.containers.inspect(id, context.signal);
  const published = Object.entries(info?.NetworkSettings?.Ports ?? {});
  return new Map(
    published.flatMap(([inside, bindings]) => {
      const binding = bindings?.find(({ HostIp }) => HostIp === "127.0.0.1");
      return binding ? [[Number.parseInt(inside, 10), Number(binding.HostPort)] as const] : [];
    }),
  );
}

const START = "the container starts";

/** Starts a container with the image's own entrypoint. */
async function start(
  context: SmokeContext,
  ports: readonly number[],
  timeoutMs: number,
): Promise<Running | NotRunning> {
  const { containers } = context.docker;
  const { argv: command } = context.settings;
  const created = await createContainer(context, { network: "bridge", ports, command, logs: true });
  if ("refused" in created) return { outcome: couldNotRun(START, created.refused) };
  const { id } = created;
  const timer = AbortSignal.timeout(timeoutMs);
  try {
    const started = await containers.start(id, AbortSignal.any([context.signal, timer]));
    if ("value" in started) {
      const exited = watchExit(context, id);
      return { id, hostPorts: await hostPortsOf(context, id), answered: new Set(), exited, ready: false };
    }
    const ending = await endingOf(context, id);
    release(context, id);
    const ofImage = ending.how === "never-ran" && ending.ofImage;
    const why = ending.how === "never-ran" || ending.how === "killed" ? ending.why : started.refused;
    return { outcome: ofImage ? outcomeOf([observed(false, START, why)]) : couldNotRun(START, why) };
  } catch (error) {
    release(context, id);
    context.signal.throwIfAborted();
    if (!timer.aborted) throw error;
    return { outcome: couldNotRun(START, `the engine did not start it within ${timeoutMs / 1000} s`) };
  }
}

/**
 * Asks until there is an answer. A request is repeated only while its port has never answered.
 * @param stop aborted at the time-out, at the container's exit and at an interruption
 */
async function answerOf(
  service: Running,
  request: ServiceRequest,
  stop: AbortSignal,
): Promise<Answer | string> {
  const hostPort = service.hostPorts.get(request.port);
  if (hostPort === undefined) {
    await delay(EXIT_NEWS_MS, undefined, { signal: stop });
    return `the engine did not publish port ${request.port}`;
  }
  for (let wait = BACKOFF.first; ; wait = Math.min(wait * BACKOFF.growth, BACKOFF.longest)) {
    const asked = await ask(hostPort, request, stop);
    if ("answer" in asked) {
      service.answered.add(request.port);
      return asked.answer;
    }
    if ("broken" in asked) return `the answer cannot be read: ${asked.broken}`;
    if (service.answered.has(request.port)) {
      await delay(EXIT_NEWS_MS, undefined, { signal: stop });
      return `the connection broke: ${asked.refused}`;
    }
    await delay(wait, undefined, { signal: stop });
  }
}

/** Asks a path of a service: null for a status of 2xx, else what came instead. */
async function isFine(
  service: Running,
  port: number,
  path: string,
  stop: AbortSignal,
): Promise<string | null> {
  const request = { port, method: "GET", path, headers: {}, body: "" };
  const answer = await answerOf(service, request, stop);
  if (typeof answer === "string") return answer;
  return answer.status >= 200 && answer.status < 300 ? null : `status ${answer.status}`;
}

/**
 * The image's own service, started at the first request and asked in turn, every port published on a random port of
 * 127.0.0.1. The engine must run on this machine.
 * @param ports every port that will be asked
 * @param startMs how long the engine may take to start it
 */
export function createService(context: SmokeContext, ports: readonly number[], startMs: number) {
  let running: Promise<Running | NotRunning> | undefined;
  const started = () => (running ??= start(context, ports, startMs));

  /** Waits before the first request, if the settings say for what. undefined if the service is ready. */
  const unready = async (service: Running, port: number, stop: AbortSignal): Promise<string | undefined> => {
    const { wait_for } = context.settings;
    if (service.ready || !wait_for) return undefined;
    const get = (path: string) => isFine(service, port, path, stop);
    const seen = await waitFor(context, service.id, wait_for, { get, stop });
    service.ready = seen === null;
    return seen === null ? undefined : `it was waited until ${waitText(wait_for)}: ${seen}`;
  };

  const request: Tools["request"] = async (asked, { expected, timeoutMs }) => {
    const service = await started();
    if ("outcome" in service) return service;
    const { id, exited } = service;
    const timeout = AbortSignal.timeout(timeoutMs);
    const fail = (actual: string) => ({ outcome: outcomeOf([observed(false, expected, actual)]) });
    const stop = AbortSignal.any([context.signal, exited, timeout]);
    try {
      const why = await unready(service, asked.port, stop);
      if (why !== undefined) {
        if ((await endingOf(context, id)).how !== "running")
          return { outcome: await exitOutcome(context, id, expected) };
        return fail(`${why}; ${await lastLines(context, id)}`);
      }
      const answer = await answerOf(service, asked, stop);
      return typeof answer === "string" ? fail(answer) : answer;
    } catch (error) {
      context.signal.throwIfAborted();
      if (exited.aborted) return { outcome: await exitOutcome(context, id, expected) };
      if (!timeout.aborted) throw error;
      const ending = await endingOf(context, id);
      if (ending.how === "killed") return { outcome: couldNotRun(expected, ending.why) };
      return fail(`no answer within ${timeoutMs / 1000} s; ${await lastLines(context, id)}`);
    }
  };
  return {
    request,
    /** The container of the service. */
    container: started,
    close: async () => {
      const service = await running?.catch(() => undefined);
      if (service && "id" in service) release(context, service.id);
    },
  };
}
