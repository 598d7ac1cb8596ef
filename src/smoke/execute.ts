import type { ImageFacts, Execution, Tools } from "./kinds/kind.ts";
import type { Outcome } from "./outcome.ts";
import { inMemory, release } from "./containers.ts";
import { createPrograms, type Program } from "./programs.ts";
import type { SmokeContext } from "./suite-run.ts";

/*
 * A command runs beside a process that does nothing, the image's own `sleep`, in a container that may be used again. Where
 * an image has none, each command is the first process of a container of its own.
 */

/** An empty tmpfs has this size; each name in it adds to it. */
const EMPTY_TMPFS = 40;

/** Where a program may write: everything else is read-only. */
const WRITABLE = {
  "/tmp": "size=64m,mode=1777,nosuid,nodev",
  "/dev/shm": "size=64m,mode=1777,nosuid,nodev,noexec",
};

const MOUNTS = Object.entries(WRITABLE).map(([path, options]) => inMemory(path, options));

/** Nothing that outlives a process can be kept in the kernel: no shared memory, semaphores or queues. */
const NO_IPC = {
  "kernel.shmmni": "0",
  "kernel.msgmni": "0",
  "kernel.sem": "0 0 0 0",
  "fs.mqueue.queues_max": "0",
};

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
  const programs = createPrograms(context);
  let hasHolder = true;
  let refusesToShare = false;
  /** Where a command passed: the next one may follow there. */
  let idle: Seat | undefined;

  /** A new container that runs; undefined if the image has nothing to hold it. */
  const takeSeat = async (shared: boolean): Promise<Seat | { refused: string } | undefined> => {
    const held = await programs.hold(shared ? { Tmpfs: {}, Mounts: MOUNTS, Sysctls: NO_IPC } : {});
    if (held && "id" in held) return { id: held.id, shared };
    if (!held || !shared) return held;
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

  /** Runs a program in a container that holds itself, else alone. */
  const runOnce = async (
    program: Program,
    shared: boolean,
  ): Promise<{ execution: Execution; seat?: Seat }> => {
    const kept = shared ? await takeIdle() : undefined;
    const seat = kept ?? (hasHolder ? await takeSeat(shared) : undefined);
    if (seat && "refused" in seat) return { execution: { ended: "error", why: seat.refused } };
    if (seat) {
      const execution = await programs.runIn(seat.id, program).catch((error: unknown) => {
        release(context, seat.id);
        throw error;
      });
      if (execution) return { execution, seat };
      release(context, seat.id);
    }
    hasHolder = false;
    return { execution: await programs.runAlone(program) };
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
