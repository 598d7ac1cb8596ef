import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { removeTree } from "./folders.ts";
import { makeWay } from "./make-way.ts";
import { holdsText } from "./read-regular.ts";
import { writing } from "./refused.ts";

/** A folder that is made beside the one that it takes the place of. */
export interface NewFolder {
  /** Writes a file, and the folders above it. @param path with `/`, from the folder; it leads nowhere else @throws FactoryError WRITE_FAILED */
  write: (path: string, content: string | Uint8Array) => void;
  /** Puts it in its place, and removes what was there. @throws FactoryError WRITE_FAILED */
  commit: () => void;
  /** Removes what was made so far. */
  discard: () => void;
}

/** The file that says whose a folder is. */
interface Mark {
  name: string;
  text: string;
}

/** The folder that is meant, through a link if it is one. @throws FactoryError FOLDER_TAKEN if it holds what is not ours */
function ownFolder(folder: string, mark: Mark): string {
  if (!existsSync(folder)) {
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return folder;
    throw taken(folder, "is a link to nothing");
  }
  const real = realpathSync.native(folder);
  if (!lstatSync(real).isDirectory()) throw taken(folder, "is no folder");
  if (readdirSync(real).length > 0 && !holdsText(join(real, mark.name), mark.text))
    throw taken(folder, "has files that are not of an earlier one");
  return real;
}

function taken(folder: string, what: string): FactoryError {
  return new FactoryError("FOLDER_TAKEN", `${folder} ${what}`, {
    fix: "name a new or an empty folder, or one that this command wrote",
  });
}

/**
 * Begins a folder that takes the place of another as a whole. What was there stays as it is until then, and has to be of the same kind.
 * @param folder absolute
 * @throws FactoryError FOLDER_TAKEN, WRITE_FAILED
 */
export function openNewFolder(folder: string, mark: Mark): NewFolder {
  return writing(folder, () => {
    const target = ownFolder(folder, mark);
    makeWay(dirname(target));
    const around = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
    const made = join(around, "made");
    mkdirSync(made);
    writeFileSync(join(made, mark.name), mark.text);
    const folders = new Set<string>();
    return {
      write: (path, content) =>
        writing(join(folder, path), () => {
          const at = join(made, path);
          const above = dirname(at);
          if (!folders.has(above)) {
            mkdirSync(above, { recursive: true });
            folders.add(above);
          }
          writeFileSync(at, content, { flag: "wx" });
        }),
      commit: () =>
        writing(folder, () => {
          // It may have got other files meanwhile.
          ownFolder(target, mark);
          const old = join(around, "old");
          const isThere = existsSync(target);
          if (isThere) renameSync(target, old);
          try {
            renameSync(made, target);
          } catch (error) {
            if (isThere) renameSync(old, target);
            throw error;
          }
          removeTree(around);
        }),
      discard: () => removeTree(around),
    };
  });
}
