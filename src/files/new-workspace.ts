import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import { makeWay } from "./make-way.ts";
import { insideWorkspace } from "./own-folders.ts";
import { removeTree } from "./folders.ts";
import { isRefusal, writing } from "./refused.ts";

/** What is written: a text, a copy of a file, a link, or an empty folder. */
export type NewFile =
  | string
  | { kind: "copy"; of: string; executable: boolean }
  | { kind: "link"; target: string }
  | { kind: "folder" };

/** By path from the workspace's root, with `/`. */
type NewFiles = Readonly<Record<string, NewFile>>;

/** Written last, so that an unfinished folder is never taken for a workspace. */
const SETTINGS = "factory.yaml";

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function exists(what: string): FactoryError {
  return new FactoryError("WORKSPACE_EXISTS", what, { fix: "name another folder" });
}

/** Writes something new, never over something else. @throws an error of the file system, EEXIST too */
function writeNew(path: string, content: NewFile): void {
  if (typeof content === "string") {
    writeFileSync(path, content, { flag: "wx", mode: 0o644 });
    return;
  }
  switch (content.kind) {
    case "folder":
      return mkdirSync(path);
    case "link":
      return symlinkSync(content.target, path);
    case "copy": {
      copyFileSync(content.of, path, constants.COPYFILE_EXCL);
      const { atime, mtime } = statSync(content.of);
      chmodSync(path, content.executable ? 0o755 : 0o644);
      return utimesSync(path, atime, mtime);
    }
  }
}

/** Adds files to a folder. If one cannot be written, those that were are removed again. */
function addFiles(root: string, paths: readonly string[], files: NewFiles): void {
  const made: string[] = [];
  const folders: string[] = [];
  const enter = (folder: string): void => {
    if (isThere(folder)) return;
    enter(dirname(folder));
    mkdirSync(folder);
    folders.push(folder);
  };
  try {
    for (const path of paths) {
      const at = insideWorkspace(root, path);
      enter(dirname(at));
      writeNew(at, files[path] ?? "");
      made.push(at);
    }
  } catch (error) {
    for (const path of made) rmSync(path, { recursive: true, force: true });
    for (const folder of folders.reverse()) {
      try {
        rmdirSync(folder);
      } catch (left) {
        // Somebody else has put something there meanwhile.
        if (!isRefusal(left)) throw left;
      }
    }
    throw error;
  }
}

/**
 * Makes a workspace of these files, all of them or none, and overwrites nothing. A new folder is made under another name
 * and moved into place.
 * @param folder absolute
 * @param options.keep whether files that are there already are kept; else they are an error
 * @returns the paths of what was written and of what was there, sorted
 * @throws FactoryError WORKSPACE_EXISTS, WRITE_FAILED, FILE_OUTSIDE
 */
export function writeWorkspace(
  folder: string,
  files: NewFiles,
  { keep }: { keep: boolean },
): { written: string[]; kept: string[] } {
  const paths = Object.keys(files).sort();
  const inOrder = [...paths.filter((path) => path !== SETTINGS), SETTINGS];
  return writing(folder, () => {
    if (isThere(folder)) {
      if (isThere(join(folder, SETTINGS)))
        throw exists(`there is already a ${SETTINGS} in ${quoted(folder)}`);
      const kept = paths.filter((path) => isThere(join(folder, path)));
      if (!keep && kept.length > 0) throw exists(`there is already a ${kept[0]} in ${quoted(folder)}`);
      const written = paths.filter((path) => !kept.includes(path));
      addFiles(
        folder,
        inOrder.filter((path) => written.includes(path)),
        files,
      );
      return { written, kept };
    }
    makeWay(dirname(folder));
    // The folder of mkdtemp is for its owner alone; that in it has the usual mode.
    const around = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
    try {
      const made = join(around, "made");
      mkdirSync(made);
      addFiles(made, inOrder, files);
      renameSync(made, folder);
    } finally {
      removeTree(around);
    }
    return { written: paths, kept: [] };
  });
}
