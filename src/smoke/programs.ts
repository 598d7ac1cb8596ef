import { createContainer, OUTPUT_BYTES, release } from "./containers.ts";
import { endingOf } from "./ending.ts";
import type { Execution } from "./kinds/kind.ts";
import type { SmokeContext } from "./suite-run.ts";

/** What keeps a container running: the image's own `sleep`, longer than any suite. */
const HOLDER = ["sleep", "2147483647"];

/** A program that is run in a container. */
export interface Program {
  argv: readonly string[];
  timeoutMs: number;
  /** In place of the container's user, and beside its variables; only for a container that runs. */
  user?: string;
  env?: readonly string[];
}

/** Runs programs in the containers of a suite: beside a process that does nothing, or as the first of a container. */
export function createPrograms(context: SmokeContext) {
  const { docker, signal } = context;
  const { containers } = docker;

  /**
   * Starts a container whose first process does nothing. undefined if the image has nothing to hold it.
   * @param hostConfig beside the sandbox's
   */
  const hold = async (
    hostConfig: Record<string, unknown> = {},
  ): Promise<{ id: string } | { refused: string } | undefined> => {
    const [file = "", ...command] = HOLDER;
    const use = { entrypoint: [file], command, network: "none", morePids: 1, hostConfig } as const;
    const created = await createContainer(context, use);
    if ("refused" in created) return created;
    const started = await containers.start(created.id, signal).catch((error: unknown) => {
      release(context, created.id);
      throw error;
    });
    if ("value" in started) return created;
    const ending = await endingOf(context, created.id).finally(() => release(context, created.id));
    return ending.how === "never-ran" && ending.ofImage ? undefined : started;
  };

  /** Bounds a call by the test's time and the suite's interruption. */
  const inTime = async <T>(timeoutMs: number, call: (stop: AbortSignal) => Promise<T>) => {
    const timer = AbortSignal.timeout(timeoutMs);
    const value = await call(AbortSignal.any([signal, timer])).catch((error: unknown) => {
      if (!timer.aborted) throw error;
      return undefined;
    });
    signal.throwIfAborted();
    return { value, isLate: timer.aborted };
  };

  /** The result of a program that did not end in time: its own fault, unless somebody else stopped it. */
  const late = async (id: string, { stdout, stderr } = { stdout: "", stderr: "" }): Promise<Execution> => {
    const ending = await endingOf(context, id);
    if (ending.how === "killed") return { ended: "error", why: ending.why };
    return { stdout, stderr, ended: "late", exitCode: null };
  };

  /** The result of a program that did not exit with 0; undefined where its container had ended by itself. */
  const endedBadly = async (
    id: string,
    { exitCode, stdout, stderr }: { exitCode: number | null; stdout: string; stderr: string },
    isFirst: boolean,
  ): Promise<Execution | undefined> => {
    const ending = await endingOf(context, id);
    if (ending.how === "killed") return { ended: "error", why: ending.why };
    if (ending.how === "never-ran")
      return { ended: ending.ofImage ? "not-started" : "error", why: ending.why };
    const code = exitCode ?? (ending.how === "exited" ? ending.exitCode : null);
    if (ending.outOfMemory) return { ended: "out-of-memory", exitCode: code ?? 137, stdout, stderr };
    if (ending.how === "exited" && !isFirst) return undefined;
    if (code === null) return { ended: "error", why: "the engine does not say how the command ended" };
    return { ended: "exit", exitCode: code, stdout, stderr };
  };

  /** Runs a program as the first process of a container of its own. */
  const runAlone = async ({ argv, timeoutMs }: Program): Promise<Execution> => {
    const [file = "", ...command] = argv;
    const created = await createContainer(context, { entrypoint: [file], command, network: "none" });
    if ("refused" in created) return { ended: "error", why: created.refused };
    const { id } = created;
    try {
      const { value: result, isLate } = await inTime(timeoutMs, async (stop) => {
        const attached = await containers.attach(id, { maxBytes: OUTPUT_BYTES, signal: stop });
        if ("refused" in attached) return attached;
        const started = await containers.start(id, stop);
        if ("refused" in started) return started;
        const output = await attached.value.ended;
        if (!output.overflowed && !stop.aborted) await containers.wait(id, stop);
        return { value: output };
      });
      if (isLate || !result) return await late(id, result && "value" in result ? result.value : undefined);
      if ("refused" in result) {
        const ending = await endingOf(context, id);
        if (ending.how === "never-ran")
          return { ended: ending.ofImage ? "not-started" : "error", why: ending.why };
        return { ended: "error", why: ending.how === "killed" ? ending.why : result.refused };
      }
      const { stdout, stderr, overflowed } = result.value;
      if (overflowed) return { ended: "flood", exitCode: null, stdout, stderr };
      const ended = await endedBadly(id, { exitCode: null, stdout, stderr }, true);
      return ended ?? { ended: "error", why: "the engine does not say how the command ended" };
    } finally {
      release(context, id);
    }
  };

  /** Runs a program in a container that runs; undefined if that had ended. */
  const runIn = async (
    id: string,
    { argv, timeoutMs, user, env }: Program,
  ): Promise<Execution | undefined> => {
    const { value: ran, isLate } = await inTime(timeoutMs, (stop) =>
      containers.exec(id, argv, { maxBytes: OUTPUT_BYTES, signal: stop, user, env }),
    );
    if (isLate || !ran) return late(id, ran && "value" in ran ? ran.value : undefined);
    if ("refused" in ran) {
      const ending = await endingOf(context, id);
      if (ending.how === "exited") return undefined;
      return { ended: "error", why: ending.how === "running" ? ran.refused : ending.why };
    }
    const { exitCode, stdout, stderr, overflowed, started } = ran.value;
    if (overflowed) return { ended: "flood", exitCode: null, stdout, stderr };
    if (exitCode === 0) return { ended: "exit", exitCode, stdout, stderr };
    if (!started && (exitCode === 126 || exitCode === 127))
      return { ended: "not-started", why: `could not be started: ${stdout.trim()}` };
    return endedBadly(id, { exitCode, stdout, stderr }, false);
  };

  return { hold, runIn, runAlone };
}
