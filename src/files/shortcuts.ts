import { linkSync, lstatSync, rmSync, utimesSync } from "node:fs";
import { FactoryError } from "../errors.ts";
import { isRefusal } from "./refused.ts";
import { writeWhole } from "./write-whole.ts";

/*
 * Writing of what only saves work: caches, and blobs that are lent from them. A file system that refuses (full, read-only,
 * without hard links, another process was faster) is no reason to fail.
 */

/** What `work` gives; undefined where the file system refuses. */
export function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isRefusal(error) || error instanceof FactoryError) return undefined;
    throw error;
  }
}

/** Makes a hard link to a regular file; true also where there already is one. */
export function tryLink(from: string, to: string): boolean {
  const made = tryTo(() => {
    if (!lstatSync(from).isFile()) return false;
    linkSync(from, to);
    return true;
  });
  return made ?? tryTo(() => lstatSync(to).isFile()) ?? false;
}

/** Marks a file as used at a time. */
export function tryTouch(file: string, at: Date): void {
  tryTo(() => utimesSync(file, at, at));
}

/** Writes a file whole, or leaves what is there. */
export function tryWrite(file: string, data: string | Uint8Array): void {
  tryTo(() => writeWhole(file, data, false));
}

/** Removes a file. @returns whether it was there, and is gone */
export function tryRemove(file: string): boolean {
  return tryTo(() => (rmSync(file), true)) ?? false;
}
