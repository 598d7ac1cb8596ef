import { createHash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  type Stats,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as othersTurn } from "node:timers/promises";
import { FactoryError } from "../errors.ts";
import { sha256Hex } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";
import { makeFolder, removeTree } from "./folders.ts";
import { isRefusal, writing } from "./refused.ts";

/** Copies of exactly the declared files, for builds to read. Later changes in the workspace do not reach them. */
export interface Snapshots {
  /**
   * A folder that holds these files, by their paths, and no others. Builds with the same files share a folder, and a file
   * that two folders have in common is copied once.
   * @returns its absolute path. Its last part is a hash over the files, so a builder may reuse what it read from that name
   * @throws FactoryError FILE_CHANGED if a file is no longer what was declared; WRITE_FAILED
   */
  of: (files: readonly ReadFile[]) => Promise<string>;
}

const PIECE = 1 << 20;

/** How many bytes are copied before other work gets its turn. */
const TURN = 16 << 20;

function changed(path: string, how: string, cause?: unknown): FactoryError {
  return new FactoryError("FILE_CHANGED", `${path} ${how} since its cell was planned`, {
    where: { file: path },
    fix: "run the command again",
    cause,
  });
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
    throw changed(path, how, error);
  }
}

/** Opens a file of the workspace, which has to be a regular file. @throws FactoryError FILE_CHANGED */
function openDeclared(root: string, file: ReadFile): { descriptor: number; stats: Stats } {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = readDeclared(file, () => openSync(join(root, file.path), flags));
  const stats = fstatSync(descriptor);
  const how = !stats.isFile()
    ? "is no longer a regular file"
    : isExecutable(stats.mode) !== isExecutable(modeOf(file))
      ? "changed its mode"
      : null;
  if (how === null) return { descriptor, stats };
  closeSync(descriptor);
  throw changed(file.path, how);
}

/** Copies a declared file and hashes the copied bytes. @throws FactoryError FILE_CHANGED, WRITE_FAILED */
async function copyDeclared(root: string, file: ReadFile, to: string): Promise<void> {
  const { descriptor, stats } = openDeclared(root, file);
  try {
    const hash = createHash("sha256");
    const mode = modeOf(file);
    const copy = writing(to, () => openSync(to, "wx", mode));
    try {
      const piece = Buffer.allocUnsafe(Math.min(stats.size + 1, PIECE));
      let copied = 0;
      const next = () => readDeclared(file, () => readSync(descriptor, piece));
      for (let read = next(); read > 0; read = next()) {
        // A file that grows has changed; it is not copied to its end, which may never come.
        copied += read;
        if (copied > stats.size) throw changed(file.path, "changed");
        const bytes = piece.subarray(0, read);
        hash.update(bytes);
        writing(to, () => {
          for (let at = 0; at < read; at += writeSync(copy, bytes, at));
        });
        if (copied % TURN < read) await othersTurn();
      }
    } finally {
      closeSync(copy);
    }
    if (`sha256:${hash.digest("hex")}` !== file.sha256) throw changed(file.path, "changed");
    writing(to, () => {
      chmodSync(to, mode);
      // The mtime that a build from the workspace itself would see.
      utimesSync(to, stats.atime, stats.mtime);
    });
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the folder for a file, below an existing one, with a mode that does not depend on the umask. */
function makeFolders(base: string, path: string, made: Set<string>): void {
  const parts = path.split("/").slice(0, -1);
  for (let length = 1; length <= parts.length; length += 1) {
    const folder = parts.slice(0, length).join("/");
    if (made.has(folder)) continue;
    made.add(folder);
    mkdirSync(join(base, folder));
    chmodSync(join(base, folder), 0o755);
  }
}

/** Gives the folders the times that they have in the workspace, as a build from there would copy them. */
function keepTimes(root: string, base: string, files: readonly ReadFile[]): void {
  for (const { path } of files) {
    const stats = path.endsWith("/") ? lstatSync(join(root, path), { throwIfNoEntry: false }) : undefined;
    if (stats) utimesSync(join(base, path), stats.atime, stats.mtime);
  }
}

/**
 * @param root absolute path of the workspace
 * @param folder absolute; made when the first snapshot is taken, and removed by its owner
 */
export function openSnapshots(root: string, folder: string): Snapshots {
  const taken = new Map<string, Promise<string>>();
  /** The first copy of each declared file. */
  const copies = new Map<string, string>();

  const place = async (file: ReadFile, to: string): Promise<void> => {
    const known = JSON.stringify([file.path, file.mode, file.sha256]);
    const copy = copies.get(known);
    if (copy !== undefined) {
      try {
        return linkSync(copy, to);
      } catch (error) {
        // A file system without hard links, or one that allows no more for this file.
        if (!isRefusal(error)) throw error;
      }
    }
    await copyDeclared(root, file, to);
    if (copy === undefined) copies.set(known, to);
  };

  const take = async (name: string, files: readonly ReadFile[]): Promise<string> => {
    const base = join(folder, name);
    makeFolder(folder);
    writing(folder, () => {
      chmodSync(folder, 0o700);
      mkdirSync(base);
    });
    const made = new Set<string>();
    for (const file of files) {
      writing(base, () => makeFolders(base, file.path, made));
      if (!file.path.endsWith("/")) await place(file, join(base, file.path));
    }
    writing(base, () => keepTimes(root, base, files));
    return base;
  };

  return {
    of: (files) => {
      const name = sha256Hex(
        JSON.stringify(files.map(({ path, mode, sha256 }) => [path, mode, sha256])),
      ).slice(0, 32);
      const known = taken.get(name);
      if (known) return known;
      const taking = take(name, files).catch((error: unknown) => {
        // The next attempt may find the files as they were declared.
        taken.delete(name);
        removeTree(join(folder, name));
        throw error;
      });
      taken.set(name, taking);
      return taking;
    },
  };
}
