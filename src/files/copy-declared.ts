import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  symlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as othersTurn } from "node:timers/promises";
import { FactoryError } from "../errors.ts";
import { sha256 } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";
import { readRegularPieces } from "./read-regular.ts";
import { isRefusal, writing } from "./refused.ts";

const PIECE = 1 << 20;

/** How many bytes are copied before other work gets its turn. */
const TURN = 16 << 20;

export function changedSincePlanned(path: string, how: string, cause?: unknown): FactoryError {
  return new FactoryError("FILE_CHANGED", `${path} ${how} since its cell was planned`, {
    where: { file: path },
    fix: "run the command again",
    cause,
  });
}

export function interruptedCopy(): FactoryError {
  return new FactoryError("INTERRUPTED", "interrupted while the files of a build were copied");
}

const isExecutable = (mode: number): boolean => (mode & 0o100) !== 0;

const modeOf = ({ mode }: ReadFile): number => Number.parseInt(mode, 8);

/** What `work` gives. @throws FactoryError FILE_CHANGED for an error of the file system */
function readDeclared<T>({ path }: ReadFile, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const how = error.code === "ENOENT" ? "was deleted" : `cannot be read any more (${error.code})`;
    throw changedSincePlanned(path, how, error);
  }
}

/** Opens a file of the workspace, which has to be a regular file. @throws FactoryError FILE_CHANGED */
function openDeclared(root: string, file: ReadFile): { descriptor: number; stats: Stats } {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = readDeclared(file, () => openSync(`${root}/${file.path}`, flags));
  const stats = fstatSync(descriptor);
  const how = !stats.isFile()
    ? "is no longer a regular file"
    : isExecutable(stats.mode) !== isExecutable(modeOf(file))
      ? "changed its mode"
      : null;
  if (how === null) return { descriptor, stats };
  closeSync(descriptor);
  throw changedSincePlanned(file.path, how);
}

/** One piece of memory for all files: nothing in it is used after others had their turn. */
let shared: Buffer | undefined;

/**
 * Copies a declared file and hashes the copied bytes.
 * @param signal ends the copying of a large file
 * @throws FactoryError FILE_CHANGED, WRITE_FAILED, INTERRUPTED
 */
export async function copyDeclared(
  root: string,
  file: ReadFile,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  const { descriptor, stats } = openDeclared(root, file);
  try {
    const hash = createHash("sha256");
    const mode = modeOf(file);
    const copy = writing(to, () => openSync(to, "wx", mode));
    try {
      const piece = (shared ??= Buffer.allocUnsafe(PIECE));
      let copied = 0;
      const next = () => readDeclared(file, () => readSync(descriptor, piece, 0, PIECE, null));
      for (let read = next(); read > 0; read = next()) {
        // A file that grows has changed; it is not copied to its end, which may never come.
        copied += read;
        if (copied > stats.size) throw changedSincePlanned(file.path, "changed");
        const bytes = piece.subarray(0, read);
        hash.update(bytes);
        writing(to, () => {
          for (let at = 0; at < read; at += writeSync(copy, bytes, at));
        });
        // There was room for more: this is the end.
        if (copied === stats.size && read < PIECE) break;
        if (copied % TURN >= read) continue;
        await othersTurn();
        if (signal?.aborted) throw interruptedCopy();
      }
      if (`sha256:${hash.digest("hex")}` !== file.sha256) throw changedSincePlanned(file.path, "changed");
      writing(to, () => {
        fchmodSync(copy, mode);
        // The mtime that a build from the workspace itself would see.
        futimesSync(copy, stats.atime, stats.mtime);
      });
    } finally {
      closeSync(copy);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the same link again. @throws FactoryError FILE_CHANGED, WRITE_FAILED */
export function copyLink(root: string, file: ReadFile, to: string): void {
  const from = join(root, file.path);
  const target = readDeclared(file, () => readlinkSync(from, { encoding: "buffer" }));
  if (sha256(target) !== file.sha256) throw changedSincePlanned(file.path, "leads elsewhere");
  const { atime, mtime } = readDeclared(file, () => lstatSync(from));
  writing(to, () => {
    symlinkSync(target, to);
    lutimesSync(to, atime, mtime);
  });
}

/** Whether a file of a snapshot has the declared contents. */
export function holdsDeclared(copy: string, file: ReadFile): boolean {
  const hash = createHash("sha256");
  readRegularPieces(copy, (piece) => hash.update(piece));
  return `sha256:${hash.digest("hex")}` === file.sha256;
}
