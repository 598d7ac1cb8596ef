import type { ImageFacts, Execution, Tools } from "./kinds/kind.ts";
import type { Outcome } from "./outcome.ts";
import { createContainer, OUTPUT_BYTES, release } from "./containers.ts";
import { endingOf } from "./ending.ts";
import type { SmokeContext } from "./suite-run.ts";

/*
 * A command runs beside a process that does nothing, the image's own `sleep`, in a container that may be used again. Where
 * an image has none, each command is the first process of a container of its own.
 */

/** What keeps a container running. Longer than any suite. */
const HOLDER = ["sleep", "2147483647"];

/** An empty tmpfs has this size; each name in it adds to it. */
const EMPTY_TMPFS = 40;

/** Where a program may write: everything else is read-only. */
const WRITABLE = {
  "/tmp": "size=64m,mode=1777,nosuid,nodev",
  "/dev/shm": "size=64m,mode=1777,nosuid,nodev,noexec",
};

/** The writable places as volumes in memory: what lies in them can be asked for, which is not so for the engine's own tmpfs. */
const MOUNTS = Object.entries(WRITABLE).map(([Target, o]) => ({
  Type: "volume",
  Target,
  VolumeOptions: {
    NoCopy: true,
    DriverConfig: { Name: "local", Options: { type: "tmpfs", device: "tmpfs", o } },
  },
}));

/** Nothing that outlives a process can be kept in the kernel: no shared memory, semaphores or queues. */
const NO_IPC = {
  "kernel.shmmni": "0",
  "kernel.msgmni": "0",
  "kernel.sem": "0 0 0 0",
  "fs.mqueue.queues_max": "0",
};

type Program = Parameters<Tools["execute"]>[0];

/** A running container whose first process does nothing. */
interface Seat {
  id: string;
  /** Whether another command may follow in it. */
  shared: boolean;
}

/**
 * Whether commands of an image may share a container at all: nothing but /tmp and /dev/shm can be written to. Root can
 * make files in /dev, which nobody sees from outside, and names of users may be root's; volumes are writable.
 */
export function allowsSharing(
  { Config = {} }: ImageFacts & { Config?: { Volumes?: unknown } },
  gpus: unknown,
): boolean {
  const volumes = Object.keys(Config.Volumes ?? {}).length;
  return /^0*[1-9][0-9]*(:|$)/.test(Config.User ?? "") && volumes === 0 && gpus === undefined;
}

/**
 * Runs the commands of a suite.
 * @param mayShare whether commands may share a container, one after the other; see `allowsSharing`
 */
export function createExecutor(context: SmokeContext, mayShare: boolean) {
  const { docker, signal } = context;
  const { containers } = docker;
  let hasHolder = true;
  let refusesToShare = false;
  /** Where a command passed: the next one may follow there. */
  let idle: Seat | undefined;

  /** A new container that runs; undefined where the image has nothing to hold it. */
  const takeSeat = async (shared: boolean): Promise<Seat | { refused: string } | undefined> => {
    const hostConfig = shared ? { Tmpfs: {}, Mounts: MOUNTS, Sysctls: NO_IPC } : {};
    const [file = "", ...command] = HOLDER;
    const use = { entrypoint: [file], command, network: "none", morePids: 1, hostConfig } as const;
    const created = await createContainer(context, use);
    if ("id" in created) {
      const started = await containers.start(created.id, signal).catch((error: unknown) => {
        release(context, created.id);
        throw error;
      });
      if ("value" in started) return { id: created.id, shared };
      const ending = await endingOf(context, created.id).finally(() => release(context, created.id));
      if (ending.how === "never-ran" && ending.ofImage) return undefined;
      if (!shared) return { refused: started.refused };
    } else if (!shared) return created;
    // An engine need not allow what keeps a shared container clean.
    refusesToShare = true;
    return takeSeat(false);
  };

  /** Whether a container is as it was at first: no process is left, and no file. */
  const isClean = async ({ id }: Seat): Promise<boolean> => {
    const [processes, ...sizes] = await Promise.all([
      containers.processes(id, signal),
      ...Object.keys(WRITABLE).map(async (path) => (await containers.stat(id, `${path}/.`, signal))?.size),
    ]);
    return processes === 1 && sizes.every((size) => size === EMPTY_TMPFS);
  };

  /** The container of the command before, where nothing of that is left in it; else it is let go. */
  const takeIdle = async (): Promise<Seat | undefined> => {
    const seat = idle;
    idle = undefined;
    if (!seat || (await isClean(seat).catch(() => false))) return seat;
    release(context, seat.id);
    return undefined;
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

  /** Runs a program in a seat; undefined where the seat held nothing. */
  const runIn = async (seat: Seat, { argv, timeoutMs }: Program): Promise<Execution | undefined> => {
    const { value: ran, isLate } = await inTime(timeoutMs, (stop) =>
      containers.exec(seat.id, argv, { maxBytes: OUTPUT_BYTES, signal: stop }),
    );
    if (isLate || !ran) return late(seat.id, ran && "value" in ran ? ran.value : undefined);
    if ("refused" in ran) {
      const ending = await endingOf(context, seat.id);
      if (ending.how === "exited") return undefined;
      return { ended: "error", why: ending.how === "running" ? ran.refused : ending.why };
    }
    const { exitCode, stdout, stderr, overflowed, started } = ran.value;
    if (overflowed) return { ended: "flood", exitCode: null, stdout, stderr };
    if (exitCode === 0) return { ended: "exit", exitCode, stdout, stderr };
    if (!started && (exitCode === 126 || exitCode === 127))
      return { ended: "not-started", why: `could not be started: ${stdout.trim()}` };
    return endedBadly(seat.id, { exitCode, stdout, stderr }, false);
  };

  /** Runs a program in a container that holds itself, else alone. */
  const runOnce = async (
    program: Program,
    shared: boolean,
  ): Promise<{ execution: Execution; seat?: Seat }> => {
    const kept = shared ? await takeIdle() : undefined;
    const seat = kept ?? (hasHolder ? await takeSeat(shared) : undefined);
    if (seat && "refused" in seat) return { execution: { ended: "error", why: seat.refused } };
    if (seat) {
      const execution = await runIn(seat, program).catch((error: unknown) => {
        release(context, seat.id);
        throw error;
      });
      if (execution) return { execution, seat };
      release(context, seat.id);
    }
    hasHolder = false;
    return { execution: await runAlone(program) };
  };

  const execute: Tools["execute"] = async (program, judge) => {
    const shares = !program.isolated && !refusesToShare && hasHolder && mayShare;
    const { execution, seat } = await runOnce(program, shares);
    let outcome: Outcome;
    try {
      outcome = judge(execution);
    } finally {
      if (seat && !seat.shared) release(context, seat.id);
    }
    if (!seat?.shared) return outcome;
    if (outcome.status === "pass") idle = seat;
    else release(context, seat.id);
    // Only a container of its own, with all of the sandbox, can blame the image.
    return outcome.status === "fail" ? execute({ ...program, isolated: true }, judge) : outcome;
  };

  return {
    execute,
    /** Lets go of the container that is kept for the next command. */
    close: () => {
      if (idle) release(context, idle.id);
      idle = undefined;
    },
  };
}
