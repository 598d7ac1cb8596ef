import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { FactoryError } from "../errors.ts";
import { holdsText } from "./read-regular.ts";
import { isRefusal, writeFailed } from "./refused.ts";
import { writePieces } from "./write-pieces.ts";
import { writeStream } from "./write-stream.ts";

/** What is written: text, or bytes as they come. */
type Pieces = Iterable<string> | AsyncIterable<Uint8Array>;

/** Where text that is written to a path really goes. */
type Target =
  /** A file, written whole: the one that the path leads to after all links. */
  | { kind: "file"; path: string }
  /** A device or a pipe, written through. */
  | { kind: "stream"; path: string }
  /** A descriptor that the process already has open: `/dev/fd/63`, `/dev/stdout`. */
  | { kind: "open"; descriptor: number };

/** How long a pipe may be without a reader, and how long to wait before it is tried again, in milliseconds. */
const READER_MS = 10_000;
const PAUSE_MS = 20;

/** As many links as Linux follows. */
const MOST_LINKS = 40;

const DESCRIPTORS = /^\/proc\/(?:self|thread-self|(\d+))(?:\/task\/\d+)?\/fd$/;

function realFolder(path: string): string | undefined {
  try {
    return realpathSync.native(dirname(path));
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/** The number of the open descriptor that a path names, if it names one: `/dev/fd/63`, `/proc/self/fd/1`. */
function descriptorAt(path: string): number | undefined {
  const number = /^\d+$/.exec(basename(path))?.[0];
  const folder = number === undefined ? undefined : realFolder(path);
  if (number === undefined || folder === undefined) return undefined;
  const [isOwn, process_id] = DESCRIPTORS.exec(folder) ?? [];
  const own =
    folder === "/dev/fd" || (isOwn !== undefined && Number(process_id ?? process.pid) === process.pid);
  return own ? Number(number) : undefined;
}

function refused(path: string, what: string, fix: string): FactoryError {
  return new FactoryError("WRITE_FAILED", `cannot write ${path}: ${what}`, { fix });
}

/** Follows links by hand, since those in `/proc/…/fd` lead to an open file and not to a path. @throws FactoryError WRITE_FAILED */
function targetOf(path: string): Target {
  let at = path;
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const descriptor = descriptorAt(at);
    if (descriptor !== undefined) return { kind: "open", descriptor };
    const folder = realFolder(at);
    // The name that is shown for another process's open file may not exist.
    if (folder !== undefined && DESCRIPTORS.test(folder)) return { kind: "stream", path: at };
    try {
      at = resolve(folder ?? dirname(at), readlinkSync(at));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const stats = error.code === "EINVAL" ? statSync(at, { throwIfNoEntry: false }) : undefined;
      if (stats?.isDirectory()) throw refused(path, "it is a folder", "name a file in it");
      if (stats?.isSocket()) throw refused(path, "it is a socket", "name a file, a pipe or a device");
      return { kind: !stats || stats.isFile() ? "file" : "stream", path: at };
    }
  }
  throw refused(path, "its links form a loop", "name a file");
}

/**
 * Whether a path names a device, a pipe or an open descriptor: then no second file can lie beside it.
 * @throws FactoryError WRITE_FAILED for a folder, a socket and links that form a loop
 */
export function isStream(path: string): boolean {
  return targetOf(path).kind !== "file";
}

/** Whether the file at a path, or the one that a link there leads to, holds exactly this text. */
export function outputHolds(path: string, text: string): boolean {
  try {
    return holdsText(realpathSync.native(path), text);
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Tries again for as long as the other end of a pipe is not ready. @throws FactoryError INTERRUPTED; the error of the last try */
async function insist<T>(
  code: string,
  ms: number,
  signal: AbortSignal | undefined,
  work: () => T,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isRefusal(error) || error.code !== code || performance.now() >= end) throw error;
    }
    if (signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while writing");
    await wait(PAUSE_MS);
  }
}

async function writeThrough(descriptor: number, pieces: Pieces, signal?: AbortSignal): Promise<void> {
  for await (const piece of pieces) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    for (let at = 0; at < bytes.length;)
      at += await insist("EAGAIN", Infinity, signal, () => writeSync(descriptor, bytes, at));
  }
}

/** Opens a device or a pipe. Waits a limited time for the reader of a pipe. */
async function openStream(path: string, signal?: AbortSignal): Promise<number> {
  const flags = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
  const descriptor = await insist("ENXIO", READER_MS, signal, () => openSync(path, flags));
  // Something else may have taken its place, and a regular file must be written whole or not at all.
  if (!fstatSync(descriptor).isFile() || DESCRIPTORS.test(realFolder(path) ?? "")) return descriptor;
  closeSync(descriptor);
  throw refused(path, "it is no longer a device or a pipe", "run the command again");
}

/**
 * Writes what `-o PATH` asks for. A file is written whole or not at all, and the folders above it are made; a link to a
 * file stays, and the file gets the text. A device, a pipe (`>(…)`) and an open descriptor (`/dev/fd/N`, `/dev/stdout`)
 * are written through and never replaced.
 * @param path absolute
 * @throws FactoryError WRITE_FAILED, also for a folder, a socket and links that form a loop; INTERRUPTED
 */
export async function writeOutput(path: string, pieces: Pieces, signal?: AbortSignal): Promise<void> {
  const target = targetOf(path);
  if (target.kind === "file")
    return Symbol.asyncIterator in pieces
      ? writeStream(target.path, pieces)
      : writePieces(target.path, pieces);
  try {
    if (target.kind === "open") return await writeThrough(target.descriptor, pieces, signal);
    const descriptor = await openStream(target.path, signal);
    try {
      await writeThrough(descriptor, pieces, signal);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (isRefusal(error) && error.code === "ENXIO")
      throw refused(path, `nobody reads the pipe (waited ${READER_MS / 1000} s)`, "start its reader first");
    throw writeFailed(path, error);
  }
}
