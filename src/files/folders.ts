import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeWay } from "./make-way.ts";
import { isRefusal, writing } from "./refused.ts";

/** Makes a folder, and the folders above it, if they are missing. @throws FactoryError WRITE_FAILED */
export function makeFolder(folder: string): void {
  writing(folder, () => makeWay(folder));
}

/**
 * Makes a folder with a unique name that starts with `prefix`, and the folders above it.
 * @returns its path @throws FactoryError WRITE_FAILED
 */
export function makeFolderIn(parent: string, prefix: string): string {
  return writing(parent, () => {
    makeWay(parent);
    return mkdtempSync(join(parent, prefix));
  });
}

/** Moves a file or folder within one file system, and replaces what is there. @throws FactoryError WRITE_FAILED */
export function moveTo(from: string, to: string): void {
  writing(to, () => renameSync(from, to));
}

/**
 * Removes a file, or a folder with everything in it. What cannot be removed stays: that is no reason to fail, and a later
 * sweep may remove it.
 */
export function removeTree(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}
