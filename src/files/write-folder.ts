import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeWay } from "./make-way.ts";
import { holdsText } from "./read-regular.ts";
import { writing } from "./refused.ts";
import { writePieces } from "./write-pieces.ts";

/** Updates the files of an existing folder, each whole or not at all. */
function updateFolder(folder: string, fill: (write: (name: string, text: string) => void) => void): void {
  const old = new Set(readdirSync(folder));
  fill((name, text) => {
    const path = join(folder, name);
    if (!old.has(name) || !holdsText(path, text)) writePieces(path, [text]);
  });
}

/** Makes a folder under another name, and moves it into place once all its files are written. */
function makeFolder(folder: string, fill: (write: (name: string, text: string) => void) => void): void {
  makeWay(dirname(folder));
  const made = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const prefix = `${made}/`;
    fill((name, text) => writeFileSync(prefix + name, text));
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Puts the files that `fill` writes into a folder, beside what others wrote there. A file that is already right is left
 * alone. The files can be made again at any time, so nothing is synced to the disk; but no file is ever half-written.
 * @throws FactoryError WRITE_FAILED
 */
export function fillFolder(
  folder: string,
  fill: (write: (name: string, text: string) => void) => void,
): void {
  writing(folder, () => (existsSync(folder) ? updateFolder(folder, fill) : makeFolder(folder, fill)));
}
