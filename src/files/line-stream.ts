import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { FactoryError } from "../errors.ts";

/** Lines that are written one by one to a file, a pipe or a device. */
export interface LineStream {
  /** Never throws, and never waits for a reader. */
  write: (line: string) => void;
  /** Waits a limited time until all is written. Gives the error that kept a line from being written; null if there was none. */
  close: () => Promise<FactoryError | null>;
}

/** How long to wait for a pipe's first reader, and for a reader to take the rest at the end. */
const READER_MS = 10_000;
const REST_MS = 5_000;
const PAUSE_MS = 20;

/** How many bytes may wait for a slow reader. */
const MOST_WAITING = 32 << 20;

type Refusal = Error & { code: string };

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

function refused(path: string, why: string): FactoryError {
  return new FactoryError("WRITE_FAILED", `cannot write ${path}: ${why}`, {
    fix: "make room on the disk, or name another file",
  });
}

/** A path such as `/dev/fd/3` names what somebody else opened: that is not emptied. */
const OPEN_ALREADY = /^\/(dev\/(fd\/|stdout$|stderr$)|proc\/)/;

function flagsFor(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() || stats?.isSocket() || stats?.isBlockDevice())
    throw new FactoryError("USAGE", `cannot write lines to ${path}: it is not a file, a pipe or a terminal`, {
      fix: "name a file",
    });
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;
  if (stats && !stats.isFile()) return O_WRONLY | O_NONBLOCK | O_NOCTTY;
  return O_WRONLY | O_APPEND | (OPEN_ALREADY.test(path) ? 0 : O_CREAT | O_TRUNC);
}

/** Opens a path. If nobody reads the pipe yet, it waits. */
async function open(path: string, signal: AbortSignal | undefined): Promise<number> {
  for (const end = performance.now() + READER_MS; ;) {
    try {
      return openSync(path, flagsFor(path), 0o644);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.code !== "ENXIO") throw error instanceof FactoryError ? error : refused(path, error.message);
      if (performance.now() >= end)
        throw new FactoryError("USAGE", `nobody reads the pipe ${path} (waited ${READER_MS / 1000} s)`, {
          fix: "start its reader first",
        });
    }
    if (signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while waiting for a reader");
    await wait(PAUSE_MS);
  }
}

/**
 * Opens a path to be written line by line. A regular file is emptied first, a pipe or device is written through, and
 * neither is ever replaced. Each line is in the file at once, even if the process is killed. A slow reader delays nothing;
 * a reader that goes away is not a failure, but one that never reads is.
 * @param path absolute
 * @throws FactoryError USAGE, WRITE_FAILED, INTERRUPTED
 */
export async function openLines(path: string, signal?: AbortSignal): Promise<LineStream> {
  const descriptor = await open(path, signal);
  const isFile = fstatSync(descriptor).isFile();
  const waiting: Buffer[] = [];
  let bytes = 0;
  let failure: FactoryError | null = null;
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const give = (error: FactoryError | null) => {
    failure ??= error;
    over = true;
    waiting.length = 0;
    bytes = 0;
  };
  /** Writes one line, or its beginning. Gives the number of bytes; if a file takes only a part, that part is removed again. */
  const put = (line: Buffer): number => {
    let at = 0;
    try {
      while (at < line.length) at += writeSync(descriptor, line, at);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.code === "EAGAIN") return at;
      if (isFile && at > 0) ftruncateSync(descriptor, fstatSync(descriptor).size - at);
      give(error.code === "EPIPE" ? null : refused(path, error.message));
    }
    return at;
  };
  const flush = () => {
    for (let line = waiting[0]; line && !over; line = waiting[0]) {
      const written = put(line);
      if (over) return;
      bytes -= written;
      if (written < line.length) {
        waiting[0] = line.subarray(written);
        timer ??= setTimeout(() => {
          timer = undefined;
          flush();
        }, PAUSE_MS).unref();
        return;
      }
      waiting.shift();
    }
  };

  return {
    write: (line) => {
      if (over) return;
      const whole = Buffer.from(`${line}\n`);
      waiting.push(whole);
      bytes += whole.length;
      if (bytes > MOST_WAITING) give(refused(path, "its reader is too slow"));
      else if (timer === undefined) flush();
    },
    close: async () => {
      for (const end = performance.now() + REST_MS; !over && waiting.length > 0; flush()) {
        if (performance.now() >= end) give(refused(path, "its reader stopped reading"));
        else await wait(PAUSE_MS);
      }
      clearTimeout(timer);
      closeSync(descriptor);
      return failure;
    },
  };
}
