import { chmodSync, lstatSync, mkdirSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { sha256 } from "../model/digest.ts";
import type { ReadFile } from "../model/inputs.ts";
import { quoted } from "../model/visible.ts";
import { copyDeclared, copyLink } from "./copy-declared.ts";
import { insideWorkspace } from "./own-folders.ts";
import { isRefusal, writing } from "./refused.ts";

/** Where files may be. */
export interface FileOrigin {
  /** For people: `the workspace`, `commit 1a2b3c4`. */
  title: string;
  /** Absolute. */
  root: string;
}

/** A path that stays below any folder: relative, without `..`, `.` or an empty part. */
function isBelow(path: string): boolean {
  const parts = path.replace(/\/$/, "").split("/");
  return !path.includes("\0") && parts.every((part) => part !== "" && part !== "." && part !== "..");
}

function outside(path: string): FactoryError {
  return new FactoryError("FILE_OUTSIDE", `${quoted(path)} is no path below a workspace`, {
    fix: "nothing was built: no run wrote that record",
  });
}

/** @throws FactoryError FILE_OUTSIDE for the first path that leads elsewhere */
export function refuseOutside(files: readonly Pick<ReadFile, "path">[]): void {
  const odd = files.find(({ path }) => !isBelow(path));
  if (odd) throw outside(odd.path);
}

/** Makes the folders of a path below a folder. @throws FactoryError FILE_OUTSIDE if one of them is a link that was made before */
function makeFolders(into: string, folder: string): void {
  const parts = folder === "" ? [] : folder.split("/");
  for (let length = 1; length <= parts.length; length += 1) {
    const at = join(into, ...parts.slice(0, length));
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) throw outside(folder);
    if (stats) continue;
    writing(at, () => {
      mkdirSync(at);
      chmodSync(at, 0o755);
    });
  }
}

const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0));

/** Copies a file from the first origin that has it as it is declared. @returns whether one has */
async function recover(
  file: ReadFile,
  { origins, into, signal }: { origins: readonly FileOrigin[]; into: string; signal: AbortSignal },
): Promise<boolean> {
  const to = join(into, file.path);
  for (const { root } of origins) {
    try {
      // The folders above it may be links, in the workspace as in a commit: one that leads out has nothing of ours.
      insideWorkspace(root, folderOf(file.path));
      if (file.mode === "120000") copyLink(root, file, to);
      else await copyDeclared(root, file, to, signal);
      return true;
    } catch (error) {
      const isElsewhere =
        error instanceof FactoryError &&
        ["FILE_CHANGED", "FILE_OUTSIDE", "FILE_UNREADABLE"].includes(error.code);
      if (!isElsewhere) throw error;
      writing(to, () => rmSync(to, { force: true }));
    }
  }
  return false;
}

/** Whether a link was copied as it is declared. */
function isThere(to: string, file: ReadFile): boolean {
  try {
    return sha256(readlinkSync(to, { encoding: "buffer" })) === file.sha256;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

/**
 * Has a folder hold declared files again, each with the bytes and the mode that it was declared with, from wherever they still
 * are. Links are made last, so that nothing is written through one of them.
 * @param files as a record has them: nothing is taken for granted
 * @param into absolute, and empty
 * @returns the paths that no origin has
 * @throws FactoryError FILE_OUTSIDE for a path that leads elsewhere; WRITE_FAILED, INTERRUPTED
 */
export async function recoverFiles(
  files: readonly ReadFile[],
  about: { origins: readonly FileOrigin[]; into: string; signal: AbortSignal },
): Promise<string[]> {
  const { into } = about;
  const missing: string[] = [];
  const done = new Map<string, string>();
  refuseOutside(files);
  const links = files.filter(({ mode }) => mode === "120000");
  const others = files.filter(({ mode }) => mode !== "120000");
  for (const file of [...others, ...links]) {
    const { path, mode, sha256: hash } = file;
    if (path.endsWith("/")) {
      makeFolders(into, path.slice(0, -1));
      continue;
    }
    // A fragment's file may lie in a source too.
    const known = done.get(path);
    if (known !== undefined) {
      if (known !== `${mode} ${hash}`) missing.push(path);
      continue;
    }
    done.set(path, `${mode} ${hash}`);
    makeFolders(into, folderOf(path));
    const isFound = await recover(file, about);
    if (!isFound || (mode === "120000" && !isThere(join(into, path), file))) missing.push(path);
  }
  return missing;
}
