import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeWay } from "./make-way.ts";
import { isRefusal, writing } from "./refused.ts";

/** Makes a folder and those above it, where they are missing. @throws FactoryError WRITE_FAILED */
export function makeFolder(folder: string): void {
  writing(folder, () => makeWay(folder));
}

/**
 * Makes a folder with a name of its own, which starts with `prefix`; those above it too.
 * @returns its path @throws FactoryError WRITE_FAILED
 */
export function makeFolderIn(parent: string, prefix: string): string {
  return writing(parent, () => {
    makeWay(parent);
    return mkdtempSync(join(parent, prefix));
  });
}

/** Moves a file or folder on one file system; what is there already is replaced. @throws FactoryError WRITE_FAILED */
export function moveTo(from: string, to: string): void {
  writing(to, () => renameSync(from, to));
}

/**
 * Removes a file, or a folder with all that is in it. What cannot be removed stays: nothing may fail for that, and a later
 * sweep may come to it.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
