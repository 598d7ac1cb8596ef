import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isRefusal } from "./refused.ts";

/**
 * Makes a folder, and the folders above it, if they are missing. Node's own `recursive` reports ENOENT on a read-only file
 * system, and EEXIST if a file is in the way.
 * @throws an error of the file system
 */
export function makeWay(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.code === "ENOENT" && dirname(folder) !== folder) {
      makeWay(dirname(folder));
      // Another process may have been faster.
      return makeWay(folder);
    }
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    throw error.code === "EEXIST"
      ? Object.assign(error, { code: "ENOTDIR", message: `ENOTDIR: ${folder} is not a folder` })
      : error;
  }
}
