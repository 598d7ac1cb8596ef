import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as othersTurn } from "node:timers/promises";
import { sha256Hex } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";
import {
  changedSincePlanned,
  copyDeclared,
  copyLink,
  holdsDeclared,
  interruptedCopy,
} from "./copy-declared.ts";
import { makeFolder, removeTree } from "./folders.ts";
import { listed, type Listing } from "./listing.ts";
import { createMeter } from "./meter.ts";
import { isRefusal, writing } from "./refused.ts";

/** A source as it was read. */
export type DeclaredTree = Pick<Listing, "entries" | "sha256" | "pieces"> & { path: string };

/** How far the copy of the sources is, in files, folders and links: `done` of `total`. */
export type CopyProgress = (done: number, total: number) => void;

/** Copies of exactly the declared files, for builds to read. Later changes in the workspace do not reach them. */
export interface Snapshots {
  /**
   * A folder that holds these files and sources, by their paths, and nothing else. Builds with the same files share a
   * folder, and what two folders have in common is copied once.
   * @param sources do not overlap
   * @param onProgress called about once a second, beginning after a second; not while another call makes the same folder
   * @returns its absolute path. Its last part is a hash over the files, so a builder may reuse what it read from that name
   * @throws FactoryError FILE_CHANGED if a file is no longer what was declared; WRITE_FAILED; INTERRUPTED
   */
  of: (
    files: readonly ReadFile[],
    sources?: readonly DeclaredTree[],
    onProgress?: CopyProgress,
  ) => Promise<string>;
}

/** How many files are copied before other work gets its turn. */
const FILES_A_TURN = 128;

/** Makes the folder for a file, below an existing one, with a mode that does not depend on the umask. */
function makeFolders(base: string, path: string, made: Set<string>): void {
  const whole = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  if (whole === "" || made.has(whole)) return;
  const parts = whole.split("/");
  for (let length = 1; length <= parts.length; length += 1) {
    const folder = parts.slice(0, length).join("/");
    if (made.has(folder)) continue;
    made.add(folder);
    mkdirSync(join(base, folder));
    chmodSync(join(base, folder), 0o755);
  }
}

/** Gives the folders the times that they have in the workspace, as a build from there would copy them. */
function keepTimes(root: string, base: string, folders: Iterable<string>): void {
  for (const path of folders) {
    const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (stats) utimesSync(join(base, path), stats.atime, stats.mtime);
  }
}

const isBelow = (path: string, source: string): boolean =>
  source === "." || path === source || path.startsWith(`${source}/`);

/** Makes a hard link. @returns false where the file system has none, or allows no more for this file */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/**
 * @param root absolute path of the workspace
 * @param folder absolute; made when the first snapshot is taken, and removed by its owner
 * @param signal ends the copying
 */
export function openSnapshots(root: string, folder: string, signal?: AbortSignal): Snapshots {
  const taken = new Map<string, Promise<string>>();
  /** The first copy of each declared file. */
  const copies = new Map<string, string>();

  const place = async (file: ReadFile, to: string): Promise<void> => {
    const known = JSON.stringify([file.path, file.mode, file.sha256]);
    const copy = copies.get(known);
    if (copy !== undefined && tryLink(copy, to)) return;
    await copyDeclared(root, file, to, signal);
    if (copy === undefined) copies.set(known, to);
  };

  /** The first folder that holds a source, by its path and listing. */
  const placed = new Map<string, string>();

  const placeTree = async (
    tree: DeclaredTree,
    { base, made, next }: { base: string; made: Set<string>; next: () => Promise<void> | undefined },
  ): Promise<void> => {
    const key = `${tree.sha256} ${tree.path}`;
    const before = placed.get(key);
    for (const file of listed(tree.path, tree)) {
      const to = `${base}/${file.path}`;
      const turn = next();
      if (turn) await turn;
      writing(base, () => makeFolders(base, file.path, made));
      if (file.path.endsWith("/")) continue;
      if (file.mode === "120000") copyLink(root, file, to);
      else if (before === undefined || !tryLink(join(before, file.path), to))
        await copyDeclared(root, file, to, signal);
    }
    if (before === undefined) placed.set(key, base);
  };

  /** Counts entries of sources. @returns what to wait for, now and then @throws FactoryError INTERRUPTED */
  const counterOf = (sources: readonly DeclaredTree[], onProgress: CopyProgress) => {
    const total = sources.reduce((sum, { entries }) => sum + entries, 0);
    let done = 0;
    const tick = createMeter(() => onProgress(done, total));
    return (): Promise<void> | undefined => {
      done += 1;
      if (done % FILES_A_TURN !== 0) return undefined;
      if (signal?.aborted) throw interruptedCopy();
      tick();
      return othersTurn();
    };
  };

  const take = async (
    name: string,
    files: readonly ReadFile[],
    sources: readonly DeclaredTree[],
    onProgress: CopyProgress,
  ): Promise<string> => {
    const base = join(folder, name);
    makeFolder(folder);
    writing(folder, () => {
      chmodSync(folder, 0o700);
      mkdirSync(base);
    });
    const made = new Set<string>();
    const next = counterOf(sources, onProgress);
    for (const tree of sources) await placeTree(tree, { base, made, next });
    const isThere = (path: string) => sources.length > 0 && existsSync(join(base, path));
    for (const file of files) {
      writing(base, () => makeFolders(base, file.path, made));
      if (file.path.endsWith("/")) continue;
      // A fragment's file that lies in a source has been copied already.
      if (!isThere(file.path)) await place(file, join(base, file.path));
      else if (!holdsDeclared(join(base, file.path), file)) throw changedSincePlanned(file.path, "changed");
    }
    const named = files.flatMap(({ path }) => (path.endsWith("/") ? path.slice(0, -1) : []));
    const inSources = [...made].filter((path) => sources.some((tree) => isBelow(path, tree.path)));
    writing(base, () => keepTimes(root, base, new Set([...named, ...inSources])));
    return base;
  };

  return {
    of: (files, sources = [], onProgress = () => undefined) => {
      const parts = files.map((file) => [file.path, file.mode, file.sha256]);
      for (const tree of sources) parts.push([tree.path, tree.sha256]);
      const name = sha256Hex(JSON.stringify(parts)).slice(0, 32);
      const known = taken.get(name);
      if (known) return known;
      const taking = take(name, files, sources, onProgress).catch((error: unknown) => {
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
