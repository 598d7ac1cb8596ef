import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import type { ImageContents } from "../model/image-contents.ts";
import { writeScript } from "../files/write-script.ts";
import { sha256, sha256Hex } from "../model/digest.ts";
import {
  type DeclaredTest,
  type SmokeLimits,
  type SmokeReport,
  suiteStatus,
  type TestResult,
} from "../model/smoke.ts";
import type { Docker, ImageInspect } from "../tools/docker.ts";
import { type Bench, openBench } from "./bench.ts";
import { CREATE_MS, removeContainersOfSuite, removeNetworks } from "./containers.ts";
import { runCheck } from "./kinds/kinds.ts";
import { couldNotRun, type Outcome } from "./outcome.ts";
import { createPeers, type Peers } from "./peers.ts";
import { loosened } from "./settings.ts";
import { planTests, type PlannedTest, setupsOf } from "./setups.ts";
import type { SmokeContext } from "./suite-run.ts";

/** How many tests of one image run at once. */
const AT_ONCE = 4;

export interface SmokeRequest {
  /** An id, digest or reference that the engine has; nothing but the pinned images of services is pulled. */
  image: string;
  /** What `docker image inspect` says of it, where that is known already. */
  inspected?: Promise<ImageInspect>;
  platform?: string;
  tests: readonly DeclaredTest[];
  gpus?: "all" | number;
  limits: SmokeLimits;
  contents: ImageContents;
  scripts: Scripts;
  /** Names the process that owns the containers: the value of their label `io.factory.owner`. */
  owner: string;
  signal?: AbortSignal;
  /** Called when a test is done. */
  onProgress?: (done: number, total: number, id: string) => void;
  /** Called for each test when it is over. */
  onTest?: ((test: TestResult) => void) | undefined;
}

/** The scripts that tests run. */
export interface Scripts {
  /** The text of a script, by its path from the workspace's root: the one that was hashed. */
  text: (path: string) => string;
  /** An absolute folder for private copies, which are mounted; whoever gives it removes it. */
  folder: () => string;
}

export interface SmokeDeps {
  docker: Docker;
  /** Milliseconds. */
  clock: { now: () => number };
}

/** The longest that a container may be of use: every test may take its time, twice where it is run again. */
function lifeOf(planned: readonly PlannedTest[]): number {
  return Math.ceil((CREATE_MS * 2 + planned.reduce((sum, { timeoutMs }) => sum + timeoutMs * 2, 0)) / 1000);
}

/** Makes private copies of scripts. One that is made again takes the place of the one before, which stays where it is mounted. */
function copier({ text, folder }: Scripts): (path: string) => string {
  return (path) => {
    const file = join(folder(), `script-${sha256Hex(path).slice(0, 16)}`);
    writeScript(file, text(path));
    return file;
  };
}

/** A test, where it is run, and what to close after the last test that uses it. */
interface Seated {
  test: PlannedTest;
  bench: Bench;
  closers: readonly (() => void | Promise<void>)[];
}

/** All tests in their order, each at the bench of its setup. Setups with the same services share these. */
function seat(
  context: SmokeContext,
  image: ImageInspect,
  planned: readonly PlannedTest[],
  scripts: Scripts,
): Seated[] {
  const peersOf = new Map<string, Peers>();
  const copyOf = copier(scripts);
  const seated = setupsOf(planned).flatMap((setup) => {
    const { services } = setup.settings;
    const key = JSON.stringify(services);
    const longestMs = Math.max(...setup.tests.map(({ timeoutMs }) => timeoutMs));
    const peers = services && (peersOf.get(key) ?? createPeers(context, services, longestMs));
    if (peers) peersOf.set(key, peers);
    const bench = openBench(context, { image, setup, peers, copyOf });
    return setup.tests.map((test) => ({
      test,
      bench,
      closers: [bench.closeOf(test), ...(peers ? [peers.close] : [])],
    }));
  });
  return seated.sort((a, b) => a.test.index - b.test.index);
}

/**
 * Runs every test, some at once, those of one lane in a row. Rejects with the first thing that is no result of a test.
 */
async function runTests(
  context: SmokeContext,
  request: SmokeRequest,
  { planned, deps }: { planned: readonly PlannedTest[]; deps: SmokeDeps },
): Promise<TestResult[]> {
  const { tests, platform, onProgress, onTest, limits } = request;
  const { docker, clock } = deps;
  const { default: pLimit } = await import("p-limit");
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const image = await (request.inspected ??
    docker.inspectImage(request.image, { platform, signal: inner.signal }));

  const results = new Map<number, TestResult>();
  const passed = new Set<string>();
  const one = async ({ test: planned, bench }: Seated): Promise<void> => {
    const { index, check, timeoutMs, settings, test } = planned;
    const { from, id, after } = test;
    const startedAt = clock.now();
    let outcome: Outcome;
    if (after !== undefined && !passed.has(`${from}/${after}`))
      outcome = { status: "skipped", expected: `${after} passes first`, actual: `${after} did not pass` };
    else if (check) outcome = await runCheck(check, bench.toolsFor(planned), timeoutMs);
    else outcome = couldNotRun("a test that checks something", "the test checks nothing");
    if (outcome.status === "pass") passed.add(`${from}/${id}`);
    const duration_ms = Math.max(0, Math.round(clock.now() - startedAt));
    const loose = loosened({ settings, check: check ?? null }, limits);
    const result = {
      id: `${from}/${id}`,
      duration_ms,
      ...outcome,
      ...(loose.length > 0 ? { loosened: loose } : {}),
    };
    results.set(index, result);
    onTest?.(result);
    onProgress?.(results.size, tests.length, `${from}/${id}`);
  };

  const lanes = new Map<string | undefined, Seated[]>();
  for (const seated of seat(inner, image, planned, request.scripts)) {
    const lane = seated.bench.laneOf(seated.test);
    lanes.set(lane, [...(lanes.get(lane) ?? []), seated]);
  }
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    stop.abort();
  };
  // The containers of a lane go as soon as its last test is done, while others run.
  const runLane = async ([lane, members]: [string | undefined, Seated[]]) => {
    const limit = pLimit(lane === undefined ? AT_ONCE : 1);
    await Promise.all(members.map((seated) => limit(() => one(seated)).catch(fail)));
    for (const close of new Set(members.flatMap(({ closers }) => closers))) await close();
  };
  await Promise.all([...lanes].map(runLane));
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
    contents,
    owner,
    signal = new AbortController().signal,
  } = request;
  const { docker } = deps;
  const interrupted = () => new FactoryError("INTERRUPTED", "interrupted during the smoke tests");
  if (signal.aborted) throw interrupted();
  if (image.startsWith("-")) throw new FactoryError("USAGE", `${image} is not an image`);
  const hashOf = (path: string) => sha256(request.scripts.text(path));
  const planned = planTests(declared, { timeout_s: limits.timeout_s, hashOf });
  const suite = randomUUID();
  const removals: SmokeContext["removals"] = [];
  const networks: string[] = [];
  const context: SmokeContext = {
    image,
    platform,
    contents,
    gpus,
    limits,
    settings: {},
    mounts: new Map(),
    network: undefined,
    owner,
    suite,
    lifeS: lifeOf(planned),
    signal,
    docker,
    removals,
    networks,
  };
  let tests: TestResult[];
  try {
    tests = await runTests(context, request, { planned, deps });
  } catch (error) {
    throw signal.aborted ? interrupted() : error;
  } finally {
    const left = (await Promise.all(removals)).find((error) => error !== null);
    if (signal.aborted) await removeContainersOfSuite(suite, docker);
    const joined = await removeNetworks(networks, docker);
    const failed = left ?? joined;
    if (failed) throw failed;
  }
  if (signal.aborted) throw interrupted();
  return { status: suiteStatus(tests), tests };
}
