import { linkSync, lstatSync, rmSync, utimesSync } from "node:fs";
import { FactoryError } from "../errors.ts";
import { isRefusal } from "./refused.ts";
import { writeWhole } from "./write-whole.ts";

/*
 * Writes what only saves work: caches, and blobs that are lent from them. An error of the file system (full, read-only, no
 * hard links, another process was faster) is no reason to fail.
 */

/** What `work` gives; undefined on an error of the file system. */
export function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isRefusal(error) || error instanceof FactoryError) return undefined;
    throw error;
  }
}

/** Makes a hard link to a regular file; also true if the target exists already. */
export function tryLink(from: string, to: string): boolean {
  const made = tryTo(() => {
    if (!lstatSync(from).isFile()) return false;
    linkSync(from, to);
    return true;
  });
  return made ?? tryTo(() => lstatSync(to).isFile()) ?? false;
}

/** Sets the time at which a file was last used. */
export function tryTouch(file: string, at: Date): void {
  tryTo(() => utimesSync(file, at, at));
}

/** Writes a file whole, or leaves what is there. */
export function tryWrite(file: string, data: string | Uint8Array): void {
  tryTo(() => writeWhole(file, data, false));
}

/** Removes a file. @returns whether it existed and was removed */
export function tryRemove(file: string): boolean {
  return tryTo(() => (rmSync(file), true)) ?? false;
}
