import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { FactoryError } from "../errors.ts";
import type { Docker } from "../tools/docker.ts";
import type { ExecResult } from "../tools/exec.ts";
import type { SmokeContext } from "./suite-run.ts";

const OWNER_LABEL = "io.factory.owner";
const SUITE_LABEL = "io.factory.suite";

/** The most that is kept of a container's output. */
export const OUTPUT_BYTES = 1024 * 1024;

/** Creating may unpack a large image first. */
const CREATE_MS = 10 * 60 * 1000;

/** The engine's words without the command line's own prefixes. */
export function words(result: ExecResult): string {
  const text = (result.stderr.trim() || result.stdout.trim()).replace(
    /^(Error response from daemon: )+/gm,
    "",
  );
  return (
    text || (result.timedOut ? "the engine did not answer in time" : `docker ended with ${result.exitCode}`)
  );
}

function sandbox({ limits, platform, gpus, owner, suite }: SmokeContext): string[] {
  return [
    "--pull=never",
    `--label=${OWNER_LABEL}=${owner}`,
    `--label=${SUITE_LABEL}=${suite}`,
    ...(platform ? [`--platform=${platform}`] : []),
    ...(gpus === undefined ? [] : [`--gpus=${gpus}`]),
    "--read-only",
    "--tmpfs=/tmp:rw,exec,nosuid,nodev,size=64m,mode=1777",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    `--memory=${limits.memory_mb}m`,
    `--memory-swap=${limits.memory_mb}m`,
    `--pids-limit=${limits.pids}`,
    "--no-healthcheck",
  ];
}

/** A container that was created, or the engine's words where it refused. */
export type Created = { name: string } | { refused: string };

/**
 * Creates a container within the sandbox of smoke tests: read-only but for a small /tmp, without capabilities and new
 * privileges, with memory and process limits. It is created before it is started, and creating is never
 * cut short: from here on its name is enough to remove it for good.
 * @param flags more flags of `docker create`, each one argument
 * @throws the signal's reason where the suite is interrupted already
 */
export async function createContainer(
  context: SmokeContext,
  flags: readonly string[],
  command: readonly string[] = [],
): Promise<Created> {
  context.signal.throwIfAborted();
  const name = `factory-smoke-${randomUUID()}`;
  const argv = ["create", `--name=${name}`, ...sandbox(context), ...flags, context.image, ...command];
  const result = await context.docker.run(argv, { timeoutMs: CREATE_MS });
  return result.exitCode === 0 ? { name } : { refused: words(result) };
}

/** Starts to remove a container; the suite waits for that before it ends. */
export function release(context: SmokeContext, name: string): void {
  context.removals.push(
    removeContainers([name], context.docker).then(
      () => null,
      (error: unknown) => error as Error,
    ),
  );
}

/**
 * Waits for a call that ends when the container does. At the time-out, or when the suite is interrupted, the container
 * is killed and removed, which ends the call.
 */
export async function boundCall<T>(
  context: SmokeContext,
  call: Promise<T>,
  { name, timeoutMs }: { name: string; timeoutMs: number },
): Promise<{ result: T; timedOut: boolean }> {
  const settled = call.then(
    () => true,
    () => true,
  );
  const timer = new AbortController();
  const stop = AbortSignal.any([context.signal, timer.signal]);
  const outOfTime = delay(timeoutMs, false, { signal: stop }).catch(() => false);
  const ended = await Promise.race([settled, outOfTime]);
  timer.abort();
  // Again and again, for a start that is under way can outlive the first attempt.
  for (let over = ended; !over;) {
    await removeContainers([name], context.docker);
    over = await Promise.race([settled, delay(100, false)]);
  }
  return { result: await call, timedOut: !ended };
}

/** How a container ended, as the engine tells it. */
interface ContainerState {
  Running: boolean;
  OOMKilled: boolean;
  ExitCode: number;
  /** The engine's words where the container could not be started. */
  Error: string;
  StartedAt: string;
}

/** The state of a container; undefined where it is gone. */
export async function containerState(
  context: SmokeContext,
  name: string,
): Promise<ContainerState | undefined> {
  const result = await context.docker.run(["container", "inspect", "--format={{json .State}}", name]);
  return result.exitCode === 0 ? (JSON.parse(result.stdout) as ContainerState) : undefined;
}

/**
 * Why a container never ran; undefined where it did. A program that the image lacks or may not execute is the image's
 * own failure; everything else is something the engine could not do.
 */
export function neverRan(
  state: ContainerState | undefined,
): { status: "fail" | "error"; why: string } | undefined {
  if (!state || !state.StartedAt.startsWith("0001-")) return undefined;
  const isOfImage = state.ExitCode === 126 || state.ExitCode === 127;
  return { status: isOfImage ? "fail" : "error", why: `could not be started: ${state.Error}`.trim() };
}

/**
 * Kills and removes containers with their anonymous volumes; one that is gone already is fine.
 * @throws FactoryError ENGINE_FAILED where one stays
 */
async function removeContainers(names: readonly string[], docker: Docker): Promise<void> {
  const result = await docker.run(["rm", "--force", "--volumes", ...names]);
  if (result.exitCode === 0) return;
  const left = words(result)
    .split("\n")
    .filter((line) => !/No such container|already in progress/i.test(line));
  if (left.length === 0) return;
  throw new FactoryError("ENGINE_FAILED", `a container could not be removed: ${left.join("; ")}`, {
    fix: `docker rm --force --volumes ${names.join(" ")}`,
  });
}

async function listContainers(filter: string, docker: Docker): Promise<{ id: string; owner: string }[]> {
  const format = `--format={{.ID}}\t{{.Label "${OWNER_LABEL}"}}`;
  const result = await docker.run(["ps", "--all", "--no-trunc", `--filter=label=${filter}`, format]);
  if (result.exitCode !== 0) throw new FactoryError("ENGINE_FAILED", `docker ps: ${words(result)}`);
  const lines = result.stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [id = "", ...owner] = line.split("\t");
    return { id, owner: owner.join("\t") };
  });
}

async function removeListed(listed: readonly { id: string }[], docker: Docker): Promise<number> {
  const ids = listed.map(({ id }) => id);
  if (ids.length > 0) await removeContainers(ids, docker);
  return ids.length;
}

/**
 * Removes every container of an owner.
 * @returns how many there were
 * @throws FactoryError ENGINE_FAILED
 */
export async function removeContainersOf(owner: string, docker: Docker): Promise<number> {
  return removeListed(await listContainers(`${OWNER_LABEL}=${owner}`, docker), docker);
}

/** Removes what a suite left behind that was interrupted while the engine was still creating. */
export async function removeContainersOfSuite(suite: string, docker: Docker): Promise<number> {
  return removeListed(await listContainers(`${SUITE_LABEL}=${suite}`, docker), docker);
}

/**
 * Removes the containers of owners that are no more, which a killed process leaves. Several machines can share one
 * engine: an owner's name must tell `isAlive` enough to keep what belongs to another machine.
 * @returns how many there were
 * @throws FactoryError ENGINE_FAILED
 */
export async function removeOrphans(docker: Docker, isAlive: (owner: string) => boolean): Promise<number> {
  const all = await listContainers(OWNER_LABEL, docker);
  return removeListed(
    all.filter(({ owner }) => !isAlive(owner)),
    docker,
  );
}
