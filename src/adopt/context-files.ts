import { lstatSync, opendirSync, readlinkSync, realpathSync } from "node:fs";
import { dirname, join, posix, sep } from "node:path";
import type { NewFile } from "../files/new-workspace.ts";
import { readRegular } from "../files/read-regular.ts";
import { isRefusal } from "../files/refused.ts";
import { dockerIgnored } from "./docker-ignore.ts";

/** What is copied of a context. */
export interface ContextFiles {
  /** By path from the context. */
  files: ReadonlyMap<string, NewFile>;
  /** What is named but not there, or cannot be copied, each with the reason. */
  left: readonly { path: string; why: string }[];
}

/** The most files that are copied of a context, and bytes. */
const MOST_FILES = 50_000;
const MOST_BYTES = 1 << 30;

const IGNORE_LIMIT = 1 << 20;

/** The .dockerignore that holds for a Dockerfile. */
export function ignoreText(context: string, dockerfile: string): string {
  for (const path of [`${dockerfile}.dockerignore`, join(context, ".dockerignore")]) {
    try {
      const file = readRegular(path, IGNORE_LIMIT);
      if (file) return file.bytes.toString();
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
  return "";
}

/** The part of a path before its first wildcard or variable, up to a `/`. */
function fixedPart(path: string): { path: string; isWhole: boolean } {
  const clean = posix.normalize(`/${path}`).slice(1).replace(/\/$/, "");
  const open = clean.search(/[*?[$\\]/);
  if (open < 0) return { path: clean, isWhole: true };
  return { path: clean.slice(0, clean.lastIndexOf("/", open) + 1).replace(/\/$/, ""), isWhole: false };
}

/**
 * The files of a context that a Dockerfile names, as a build would get them.
 * @param context absolute
 * @param paths as the Dockerfile names them
 * @param skip a folder that is left out, absolute: where the workspace is written
 */
export function contextFiles(
  { context, dockerfile, skip }: { context: string; dockerfile: string; skip: string },
  paths: readonly string[],
): ContextFiles {
  const files = new Map<string, NewFile>();
  const left: { path: string; why: string }[] = [];
  const isIgnored = dockerIgnored(ignoreText(context, dockerfile));
  const real = realpathSync.native(context);
  let bytes = 0;
  let isFull = false;
  const add = (path: string): boolean => {
    const at = join(context, path);
    if (isFull || at === skip || (path !== "" && files.has(path))) return true;
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats) return false;
    if (stats.isDirectory()) {
      const folder = opendirSync(at);
      const names: string[] = [];
      try {
        for (let entry = folder.readSync(); entry; entry = folder.readSync()) names.push(entry.name);
      } finally {
        folder.closeSync();
      }
      let count = 0;
      for (const name of names.sort()) {
        const below = path === "" ? name : `${path}/${name}`;
        if (name !== ".git" && add(below)) count += 1;
      }
      if (count === 0 && path !== "" && !isIgnored(path)) files.set(path, { kind: "folder" });
      return true;
    }
    if (isIgnored(path)) return true;
    if (stats.isSymbolicLink()) {
      const target = readlinkSync(at);
      const end = posix.normalize(posix.join("/", dirname(path), target));
      const isInside = !target.startsWith("/") && !posix.join(dirname(path), target).startsWith("..");
      if (isInside) files.set(path, { kind: "link", target });
      else left.push({ path, why: `it is a link that leads out of the context (${end})` });
      return true;
    }
    if (!stats.isFile()) {
      left.push({ path, why: "it is not a file, a folder or a link" });
      return true;
    }
    bytes += stats.size;
    if (files.size >= MOST_FILES || bytes > MOST_BYTES) {
      isFull = true;
      left.push({
        path,
        why: `there are more than ${MOST_FILES} files or ${MOST_BYTES >> 20} MiB: add the rest yourself`,
      });
      return true;
    }
    files.set(path, { kind: "copy", of: at, executable: (stats.mode & 0o100) !== 0 });
    return true;
  };
  for (const named of paths) {
    const { path, isWhole } = fixedPart(named);
    const folder = join(context, dirname(path));
    let isInside = true;
    try {
      const there = realpathSync.native(folder);
      isInside = there === real || there.startsWith(real.endsWith(sep) ? real : real + sep);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    if (!isInside) left.push({ path: named, why: "it leads out of the context" });
    else if (
      path !== "" &&
      isIgnored(path) &&
      isWhole &&
      !lstatSync(join(context, path), { throwIfNoEntry: false })?.isDirectory()
    )
      left.push({ path: named, why: "the .dockerignore leaves it out" });
    else {
      try {
        if (!add(path)) left.push({ path: named, why: "there is no such file in the context" });
      } catch (error) {
        if (!isRefusal(error)) throw error;
        left.push({ path: named, why: `it cannot be read (${error.code})` });
      }
    }
  }
  return { files, left };
}
