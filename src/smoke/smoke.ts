import { randomUUID } from "node:crypto";
import { FactoryError } from "../errors.ts";
import type { DeclaredTest, SmokeLimits, SmokeReport, TestResult } from "../model/smoke.ts";
import { checkOf } from "../model/suite.ts";
import type { Check, CheckOf } from "../model/suite.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import type { ExecStream } from "../tools/exec.ts";
import { testCommand } from "./command.ts";
import { createContainer, release, removeContainersOfSuite } from "./containers.ts";
import type { Created } from "./containers.ts";
import type { SmokeContext } from "./suite-run.ts";
import { testFile } from "./file.ts";
import { testService } from "./http.ts";
import { testBudget, testConfig } from "./image.ts";
import { couldNotRun } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** How many tests of one image run at once. */
const AT_ONCE = 4;

export interface SmokeRequest {
  /** An id, digest or reference that the engine has; nothing is pulled. */
  image: string;
  /** What `docker image inspect` says of it, where that is known already. */
  inspected?: Promise<ImageInspect>;
  platform?: string;
  tests: readonly DeclaredTest[];
  gpus?: "all" | number;
  limits: SmokeLimits;
  /** Names the process that owns the containers: the value of their label `io.factory.owner`. */
  owner: string;
  signal?: AbortSignal;
  /** Called when a test is done. */
  onProgress?: (done: number, total: number, id: string) => void;
}

export interface SmokeDeps {
  docker: Docker;
  execStream: ExecStream;
  /** Milliseconds. */
  clock: { now: () => number };
}

interface Planned {
  index: number;
  timeoutMs: number;
  check: Check | undefined;
}

function isHttp(planned: Planned): planned is Planned & { check: CheckOf<"http"> } {
  return planned.check?.kind === "http";
}

function statusOf(tests: readonly TestResult[]): SmokeReport["status"] {
  if (tests.some(({ status }) => status === "error")) return "error";
  return tests.every(({ status }) => status === "pass") ? "pass" : "fail";
}

/** A container to look at, created when it is first asked for, and never run. */
function containerToLookAt(context: SmokeContext) {
  let created: Promise<Created> | undefined;
  return {
    get: () => (created ??= createContainer(context, ["--network=none", "--entrypoint=/factory-only-looks"])),
    release: async () => {
      const made = await created?.catch(() => undefined);
      if (made && "name" in made) release(context, made.name);
    },
  };
}

/** Tests one thing that is not a service. */
async function testOne(
  context: SmokeContext,
  { check, timeoutMs }: Planned,
  shared: { container: () => Promise<Created>; image: Promise<ImageInspect> },
): Promise<Outcome> {
  switch (check?.kind) {
    case "command":
      return testCommand(context, check, timeoutMs);
    case "config":
      return testConfig(await shared.image, check);
    case "file":
    case "budget": {
      const created = await shared.container();
      if ("refused" in created) return couldNotRun("the image can be looked at", created.refused);
      if (check.kind === "file") return testFile(context, created.name, check);
      return testBudget(context, await shared.image, check);
    }
    default:
      return couldNotRun("a test of command, http, file, config or budget", "it checks nothing");
  }
}

/** Runs every test, some at once, the HTTP tests in a row. Rejects with the first thing that is no result of a test. */
async function runTests(
  context: SmokeContext,
  request: SmokeRequest,
  deps: SmokeDeps,
): Promise<TestResult[]> {
  const { tests, platform, limits, onProgress } = request;
  const { docker, clock } = deps;
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(AT_ONCE);
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const planned = tests.map((test, index): Planned => ({
    index,
    timeoutMs: (test.timeout_s ?? limits.timeout_s) * 1000,
    check: checkOf(test),
  }));

  const results = new Map<number, TestResult>();
  const record = (index: number, outcome: Outcome, startedAt: number) => {
    const { from, id } = tests[index] as DeclaredTest;
    const duration_ms = Math.max(0, Math.round(clock.now() - startedAt));
    results.set(index, { id: `${from}/${id}`, duration_ms, ...outcome });
    onProgress?.(results.size, tests.length, `${from}/${id}`);
  };

  const toLookAt = containerToLookAt(inner);
  const image = request.inspected ?? docker.inspectImage(request.image, { platform, signal: inner.signal });
  const shared = { container: toLookAt.get, image };
  const services = planned.filter(isHttp);
  const service = async () => {
    let startedAt = clock.now();
    await testService(inner, services, (position, outcome) => {
      record((services[position] as Planned).index, outcome, startedAt);
      startedAt = clock.now();
    });
  };
  const others = planned.filter((one) => !isHttp(one));
  const work = [
    ...(services.length > 0 ? [service] : []),
    ...others.map((one) => async () => {
      const startedAt = clock.now();
      record(one.index, await testOne(inner, one, shared), startedAt);
    }),
  ];
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    stop.abort();
  };
  // A service takes longest, and so it starts first.
  await Promise.all([image.catch(fail), ...work.map((one) => limit(one).catch(fail))]);
  await toLookAt.release();
  if (failures.length > 0) throw failures[0];
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/**
 * Tests an image in real containers and collects every result, in the order of the tests. All containers are gone when
 * it returns or throws.
 * @throws FactoryError IMAGE_NOT_FOUND, ENGINE_UNREACHABLE, ENGINE_FAILED (a container could not be removed), INTERRUPTED
 */
export async function smokeTest(request: SmokeRequest, deps: SmokeDeps): Promise<SmokeReport> {
  const { image, platform, gpus, limits, owner, signal = new AbortController().signal } = request;
  const { docker, execStream } = deps;
  const interrupted = () => new FactoryError("INTERRUPTED", "interrupted during the smoke tests");
  if (signal.aborted) throw interrupted();
  if (image.startsWith("-")) throw new FactoryError("USAGE", `${image} is no image`);
  const suite = randomUUID();
  const removals: SmokeContext["removals"] = [];
  const context = { image, platform, gpus, limits, owner, suite, signal, docker, execStream, removals };
  let tests: TestResult[];
  try {
    tests = await runTests(context, request, deps);
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    const left = (await Promise.all(removals)).find((error) => error !== null);
    if (signal.aborted) await removeContainersOfSuite(suite, docker);
    if (left) throw left;
  }
  if (signal.aborted) throw interrupted();
  return { status: statusOf(tests), tests };
}
