import { randomUUID } from "node:crypto";
import { FactoryError } from "../errors.ts";
import {
  type DeclaredTest,
  type SmokeLimits,
  type SmokeReport,
  suiteStatus,
  type TestResult,
} from "../model/smoke.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import { CREATE_MS, createContainer, release, removeContainersOfSuite } from "./containers.ts";
import type { Created } from "./containers.ts";
import { allowsSharing, createExecutor } from "./execute.ts";
import type { Tools, Turn } from "./kinds/kind.ts";
import { type Check, checkOf, portOf, runCheck, turnOf } from "./kinds/kinds.ts";
import { lookAt } from "./look.ts";
import { couldNotRun } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { createService } from "./service.ts";
import type { SmokeContext } from "./suite-run.ts";

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
  /** Milliseconds. */
  clock: { now: () => number };
}

/** Tests that share what they run in; `others` share nothing but a container that is looked at and never run. */
type Group = Turn | "others";

interface Planned {
  index: number;
  timeoutMs: number;
  check: Check | undefined;
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

/** What the tests of a suite may do with the image. `close` lets go of what those of one group had. */
function openTools(context: SmokeContext, image: ImageInspect, planned: readonly Planned[]) {
  const { docker, platform, signal, limits, gpus } = context;
  const mayShare = allowsSharing(image, gpus);
  const looked = containerToLookAt(context);
  const executor = createExecutor(context, mayShare);
  const services = planned.flatMap(({ check, timeoutMs }) => {
    const port = check && portOf(check);
    return port === undefined ? [] : [{ port, timeoutMs }];
  });
  const ports = [...new Set(services.map(({ port }) => port))];
  const service = createService(context, ports, Math.max(0, ...services.map(({ timeoutMs }) => timeoutMs)));
  const tools: Tools = {
    execute: executor.execute,
    lookAt: async (path) => {
      const created = await looked.get();
      return "refused" in created ? { error: created.refused } : lookAt(context, created.id, path);
    },
    image,
    unpackedSize: async () => {
      // A layer that is not unpacked counts as nothing.
      const created = await looked.get();
      if ("refused" in created) return { error: created.refused };
      return docker.unpackedSize(context.image, { platform, signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof FactoryError) return { error: error.message };
        throw error;
      });
    },
    request: service.request,
    limits,
  };
  const close: Record<Group, () => void | Promise<void>> = {
    commands: executor.close,
    service: service.close,
    others: looked.close,
  };
  return { tools, mayShare, close };
}

/** The longest that a container may be of use: every test may take its time, twice where it is run again. */
function lifeOf(planned: readonly Planned[]): number {
  return Math.ceil((CREATE_MS * 2 + planned.reduce((sum, { timeoutMs }) => sum + timeoutMs * 2, 0)) / 1000);
}

/**
 * Runs every test, some at once, those of the service and those that share a container in a row. Rejects with the first thing that
 * is no result of a test.
 */
async function runTests(
  context: SmokeContext,
  request: SmokeRequest,
  { planned, deps }: { planned: readonly Planned[]; deps: SmokeDeps },
): Promise<TestResult[]> {
  const { tests, platform, onProgress } = request;
  const { docker, clock } = deps;
  const { default: pLimit } = await import("p-limit");
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const image = await (request.inspected ??
    docker.inspectImage(request.image, { platform, signal: inner.signal }));
  const { tools, mayShare, close } = openTools(inner, image, planned);

  const results = new Map<number, TestResult>();
  const one = async ({ index, check, timeoutMs }: Planned): Promise<void> => {
    const startedAt = clock.now();
    const outcome: Outcome = check
      ? await runCheck(check, tools, timeoutMs)
      : couldNotRun("a test that checks something", "the test checks nothing");
    const { from, id } = tests[index] as DeclaredTest;
    const duration_ms = Math.max(0, Math.round(clock.now() - startedAt));
    results.set(index, { id: `${from}/${id}`, duration_ms, ...outcome });
    onProgress?.(results.size, tests.length, `${from}/${id}`);
  };

  const groups = new Map<Group, Planned[]>();
  for (const test of planned) {
    const group = (test.check && turnOf(test.check, mayShare)) ?? "others";
    groups.set(group, [...(groups.get(group) ?? []), test]);
  }
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    stop.abort();
  };
  // The containers of a group go as soon as its last test is done, while others run.
  const runGroup = async ([group, members]: [Group, Planned[]]) => {
    const limit = pLimit(group === "others" ? AT_ONCE : 1);
    await Promise.all(members.map((test) => limit(() => one(test)).catch(fail)));
    await close[group]();
  };
  await Promise.all([...groups].map(runGroup));
  if (failures.length > 0) throw failures[0];
  return [...results.entries()].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/**
 * Tests an image in real containers and collects every result, in the order of the tests. All containers are gone when
 * it returns or throws.
 * @throws FactoryError IMAGE_NOT_FOUND, ENGINE_UNREACHABLE, ENGINE_FAILED (a container could not be removed), INTERRUPTED
 */
export async function smokeTest(request: SmokeRequest, deps: SmokeDeps): Promise<SmokeReport> {
  const {
    image,
    platform,
    tests: declared,
    gpus,
    limits,
    owner,
    signal = new AbortController().signal,
  } = request;
  const { docker } = deps;
  const interrupted = () => new FactoryError("INTERRUPTED", "interrupted during the smoke tests");
  if (signal.aborted) throw interrupted();
  if (image.startsWith("-")) throw new FactoryError("USAGE", `${image} is not an image`);
  const planned = declared.map((test, index): Planned => ({
    index,
    timeoutMs: (test.timeout_s ?? limits.timeout_s) * 1000,
    check: checkOf(test),
  }));
  const suite = randomUUID();
  const removals: SmokeContext["removals"] = [];
  const lifeS = lifeOf(planned);
  const context = { image, platform, gpus, limits, owner, suite, lifeS, signal, docker, removals };
  let tests: TestResult[];
  try {
    tests = await runTests(context, request, { planned, deps });
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    const left = (await Promise.all(removals)).find((error) => error !== null);
    if (signal.aborted) await removeContainersOfSuite(suite, docker);
    if (left) throw left;
  }
  if (signal.aborted) throw interrupted();
  return { status: suiteStatus(tests), tests };
}
