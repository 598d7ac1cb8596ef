import { setTimeout as delay } from "node:timers/promises";
import type { CheckOf } from "../model/suite.ts";
import { boundCall, containerState, createContainer, neverRan, release, words } from "./containers.ts";
import type { SmokeContext } from "./suite-run.ts";
import { ask } from "./http-client.ts";
import type { Answer } from "./http-client.ts";
import { matchText } from "./match.ts";
import { couldNotRun, finding, outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { cut, quoted } from "./text.ts";

/** The wait between two attempts to reach a port that does not answer yet, in milliseconds: first, growth, longest. */
const BACKOFF = { first: 10, growth: 1.5, longest: 500 };

/** How long the engine may need to tell that a container has exited whose port is gone, in milliseconds. */
const EXIT_NEWS_MS = 500;

/** Output of a service is kept for the result of a failed test; a service that chatters may not fill the disk. */
const LOG_FLAGS = ["--log-driver=local", "--log-opt=max-size=1m", "--log-opt=max-file=2"];

/** A service that runs, on a host port for each of its ports. */
interface Service {
  name: string;
  hostPorts: Map<number, number>;
  /** Ports that have answered before: a request to them is never repeated. */
  answered: Set<number>;
  /** Aborted when the container exits. */
  exited: AbortSignal;
}

async function lastLines(context: SmokeContext, name: string): Promise<string> {
  const result = await context.docker.run(["logs", "--tail=20", name], { maxBytes: 256 * 1024 });
  const text = [result.stdout.trim(), result.stderr.trim()].filter((part) => part !== "").join("\n");
  return text === "" ? "it logged nothing" : `last lines ${quoted(text.slice(-300), 300)}`;
}

/** What a container that is not running any more tells of its end. */
async function exitStory(context: SmokeContext, name: string): Promise<string> {
  const [state, lines] = await Promise.all([containerState(context, name), lastLines(context, name)]);
  const memory = state?.OOMKilled ? `, it needed more than ${context.limits.memory_mb} MiB of memory` : "";
  return `the container exited with ${state?.ExitCode ?? "?"}${memory}; ${lines}`;
}

function watchExit(context: SmokeContext, name: string): AbortSignal {
  const exit = new AbortController();
  // The container's removal ends the call too.
  const call = context.docker.run(["wait", name]);
  context.removals.push(
    call.then(
      () => null,
      (error: unknown) => error as Error,
    ),
  );
  const tell = () => exit.abort();
  void call.then(tell, tell);
  return exit.signal;
}

async function hostPortsOf(context: SmokeContext, name: string): Promise<Map<number, number>> {
  const result = await context.docker.run(["port", name]);
  const lines = result.stdout.matchAll(/^(\d+)\/tcp -> 127\.0\.0\.1:(\d+)$/gm);
  return new Map([...lines].map(([, inside, outside]) => [Number(inside), Number(outside)] as const));
}

/** Starts a created container with the image's own entrypoint. An outcome stands for every test of a failed start. */
async function startService(
  context: SmokeContext,
  name: string,
  timeoutMs: number,
): Promise<Service | Omit<Outcome, "expected">> {
  const call = context.docker.run(["start", name]);
  const { result, timedOut } = await boundCall(context, call, { name, timeoutMs });
  if (timedOut)
    return { status: "error", actual: `the engine did not start it within ${timeoutMs / 1000} s` };
  if (result.exitCode !== 0) {
    const not = neverRan(await containerState(context, name));
    return { status: not?.status ?? "error", actual: cut(not?.why ?? words(result)) };
  }
  const exited = watchExit(context, name);
  return { name, hostPorts: await hostPortsOf(context, name), answered: new Set(), exited };
}

/**
 * Asks until there is an answer. A request is repeated only while its port has never answered.
 * @param stop aborted at the time-out, at the container's exit and at an interruption
 */
async function answerOf(
  service: Service,
  check: CheckOf<"http">,
  stop: AbortSignal,
): Promise<Answer | string> {
  const hostPort = service.hostPorts.get(check.port);
  if (hostPort === undefined) {
    await delay(EXIT_NEWS_MS, undefined, { signal: stop });
    return `the engine did not publish port ${check.port}`;
  }
  for (let wait = BACKOFF.first; ; wait = Math.min(wait * BACKOFF.growth, BACKOFF.longest)) {
    const asked = await ask(hostPort, check, stop);
    if ("answer" in asked) {
      service.answered.add(check.port);
      return asked.answer;
    }
    if ("broken" in asked) return `the answer cannot be read: ${asked.broken}`;
    if (service.answered.has(check.port)) {
      await delay(EXIT_NEWS_MS, undefined, { signal: stop });
      return `the connection broke: ${asked.refused}`;
    }
    await delay(wait, undefined, { signal: stop });
  }
}

async function testRequest(
  context: SmokeContext,
  service: Service,
  check: CheckOf<"http">,
  timeoutMs: number,
): Promise<Outcome> {
  const expected = `${check.method} ${check.path} on port ${check.port} gives ${check.status}`;
  const fail = (actual: string) => outcomeOf([finding(false, expected, actual)]);
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Answer | string;
  try {
    answer = await answerOf(service, check, AbortSignal.any([context.signal, service.exited, timeout]));
  } catch (error) {
    context.signal.throwIfAborted();
    if (service.exited.aborted) return fail(await exitStory(context, service.name));
    if (!timeout.aborted) throw error;
    return fail(`no answer within ${timeoutMs / 1000} s; ${await lastLines(context, service.name)}`);
  }
  if (typeof answer === "string") return fail(answer);
  const { status, body } = answer;
  const findings = [
    finding(status === check.status, expected, `status ${status}`),
    ...(await matchText("body", check.response, body)),
  ];
  return outcomeOf(findings, status === check.status ? [] : [`body ${quoted(body, 250)}`]);
}

/**
 * Starts the image's own entrypoint once, every tested port published on a random port of 127.0.0.1, and asks its tests
 * in their order. A test's time includes the service's start until its first answer. The engine must run on this machine.
 * @param report called with each test's outcome, in order
 */
export async function testService(
  context: SmokeContext,
  tests: readonly { check: CheckOf<"http">; timeoutMs: number }[],
  report: (index: number, outcome: Outcome) => void,
): Promise<void> {
  const ports = [...new Set(tests.map(({ check }) => check.port))];
  const publish = ports.map((port) => `--publish=127.0.0.1::${port}/tcp`);
  const reportAll = (outcome: Omit<Outcome, "expected">) => {
    for (const [index] of tests.entries()) report(index, { expected: "the container starts", ...outcome });
  };
  const created = await createContainer(context, ["--network=bridge", ...LOG_FLAGS, ...publish]);
  if ("refused" in created) return reportAll(couldNotRun("the container starts", created.refused));
  const { name } = created;
  try {
    const service = await startService(context, name, Math.max(...tests.map(({ timeoutMs }) => timeoutMs)));
    if ("status" in service) return reportAll(service);
    for (const [index, { check, timeoutMs }] of tests.entries()) {
      report(index, await testRequest(context, service, check, timeoutMs));
    }
  } finally {
    release(context, name);
  }
}
