import { existsSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeWay } from "./make-way.ts";
import { removeTree } from "./folders.ts";
import { isRefusal, writing } from "./refused.ts";

/** What is written: a folder, or a file with git's modes. */
export type TreeFile = "folder" | { bytes: Uint8Array; executable: boolean };

/** Others may replace the same folder at the same time: how often it is tried again. */
const TRIES = 20;

const isInTheWay = (error: unknown): boolean =>
  isRefusal(error) && ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(error.code ?? "");

/** Moves a folder to a place, and what is there away, unless that is to stay. */
function moveInto(made: string, folder: string, aside: string, stays: () => boolean): void {
  for (let left = TRIES; ; left -= 1) {
    try {
      return renameSync(made, folder);
    } catch (error) {
      if (left === 0 || !isInTheWay(error)) throw error;
    }
    if (stays()) return;
    try {
      renameSync(folder, join(aside, String(left)));
    } catch (error) {
      // Somebody else has moved it away.
      if (!isRefusal(error) || error.code !== "ENOENT") throw error;
    }
  }
}

/**
 * Replaces a folder with these files, whole or not at all. They are read-only: they are copies of something else.
 * @param folder absolute
 * @param files by path from there, with `/`; folders above them are made
 * @param stays whether what is there is as good, when the files are all written: others may have made it, and use it
 * @throws FactoryError WRITE_FAILED
 */
export function replaceFolder(
  folder: string,
  files: ReadonlyMap<string, TreeFile>,
  stays: () => boolean = () => false,
): void {
  writing(folder, () => {
    makeWay(dirname(folder));
    const around = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
    try {
      const made = join(around, "made");
      mkdirSync(made);
      for (const [path, file] of files) {
        const at = join(made, path);
        const above = file === "folder" ? at : dirname(at);
        if (!existsSync(above)) mkdirSync(above, { recursive: true });
        if (file !== "folder")
          writeFileSync(at, file.bytes, { flag: "wx", mode: file.executable ? 0o555 : 0o444 });
      }
      moveInto(made, folder, around, stays);
    } finally {
      removeTree(around);
    }
  });
}
