import { setTimeout as delay } from "node:timers/promises";
import { createContainer, release } from "./containers.ts";
import { endingOf } from "./ending.ts";
import { ask } from "./http-client.ts";
import type { Answer } from "./http-client.ts";
import type { ServiceRequest, Tools } from "./kinds/kind.ts";
import { couldNotRun, observed, outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { SmokeContext } from "./suite-run.ts";
import { quoted } from "./text.ts";

/** The wait between two attempts to reach a port that does not answer yet, in milliseconds: first, growth, longest. */
const BACKOFF = { first: 10, growth: 1.5, longest: 500 };

/** How long the engine may need to tell that a container has exited whose port is gone, in milliseconds. */
const EXIT_NEWS_MS = 500;

/** How much of a service's output is asked for. */
const LOGS = { tail: 20, maxBytes: 256 * 1024 };

/** A service that runs, on a host port for each of its ports. */
interface Running {
  id: string;
  hostPorts: Map<number, number>;
  /** Ports that have answered before: a request to them is never repeated. */
  answered: Set<number>;
  /** Aborted when the container exits. */
  exited: AbortSignal;
}

/** What every request to a service comes to that does not run. */
type NotRunning = { outcome: Outcome };

async function lastLines(context: SmokeContext, id: string): Promise<string> {
  const { stdout, stderr } = await context.docker.containers.logs(id, LOGS);
  const text = [stdout.trim(), stderr.trim()].filter((part) => part !== "").join("\n");
  return text === "" ? "it logged nothing" : `last lines ${quoted(text.slice(-300), 300)}`;
}

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
  const created = await createContainer(context, { network: "bridge", ports, logs: true });
  if ("refused" in created) return { outcome: couldNotRun(START, created.refused) };
  const { id } = created;
  const timer = AbortSignal.timeout(timeoutMs);
  try {
    const started = await containers.start(id, AbortSignal.any([context.signal, timer]));
    if ("value" in started) {
      const exited = watchExit(context, id);
      return { id, hostPorts: await hostPortsOf(context, id), answered: new Set(), exited };
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

/**
 * The image's own service, started at the first request and asked in turn, every port published on a random port of
 * 127.0.0.1. The engine must run on this machine.
 * @param ports every port that will be asked
 * @param startMs how long the engine may take to start it
 */
export function createService(context: SmokeContext, ports: readonly number[], startMs: number) {
  let running: Promise<Running | NotRunning> | undefined;
  const request: Tools["request"] = async (asked, { expected, timeoutMs }) => {
    const service = await (running ??= start(context, ports, startMs));
    if ("outcome" in service) return service;
    const { id, exited } = service;
    const timeout = AbortSignal.timeout(timeoutMs);
    const fail = (actual: string) => ({ outcome: outcomeOf([observed(false, expected, actual)]) });
    try {
      const answer = await answerOf(service, asked, AbortSignal.any([context.signal, exited, timeout]));
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
    close: async () => {
      const service = await running?.catch(() => undefined);
      if (service && "id" in service) release(context, service.id);
    },
  };
}
