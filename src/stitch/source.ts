import { realpathSync, statSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import type { Catalog } from "../catalog/catalog.ts";
import { FactoryError, type Place } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import { readTree, type Tree } from "../files/read-tree.ts";
import { isRefusal } from "../files/refused.ts";
import { sha256Hex } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import { gitignoreLines, type IgnoreLine, ignoreRules, leftOutBy, OWN_LINES } from "./ignore-rules.ts";
import { keep, ofCatalog } from "./memo.ts";

/** A source as a manifest and a fragment together declare it. */
export interface DeclaredSource {
  name: string;
  /** From the workspace's root, as it is written; null if nobody gives one yet: something stands in for it. */
  path: string | null;
  ignore: readonly string[];
  from_gitignore: boolean;
  where: Place;
}

/** A declared source as it was read. */
export interface Source extends Tree {
  /** From the workspace's root, with `/` and without links; `.` for the workspace itself. */
  path: string;
  /** The path as it is declared, without detours. */
  declared: string;
  where: Place;
  /** What is left out: lines of gitignore syntax, in their order. */
  lines: readonly IgnoreLine[];
  /** Whether a path below the source, from the workspace's root, is left out, or lies in a folder that is. */
  leavesOut: (path: string) => boolean;
  /** Where .gitignore files count that do not lie in the source itself, from the workspace's root. */
  gitignores: readonly string[];
}

/** Characters that mean nothing else anywhere in a Dockerfile, so that a path of them stands for itself. */
const PLAIN = /^(?!-)[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/;

/** The largest .gitignore, in bytes. */
const MOST_BYTES = 1 << 20;

/** The folders above a path, the outermost first, beginning with the root, which is empty. */
function above(path: string): string[] {
  if (path === ".") return [];
  const parts = path.split("/");
  return parts.map((_, length) => parts.slice(0, length).join("/"));
}

const inFolder = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`);

/** The path from the root without links. @throws FactoryError FILE_OUTSIDE, FILE_MISSING, FILE_UNREADABLE */
function realPath(root: string, declared: string, where: Place): string {
  const outside = () =>
    new FactoryError("FILE_OUTSIDE", `${quoted(declared)} leads out of the workspace`, {
      where,
      fix: "name a file or folder of the workspace, from its root",
    });
  if (posix.isAbsolute(declared) || declared === ".." || declared.startsWith("../")) throw outside();
  let real: string;
  try {
    real = realpathSync.native(join(root, declared));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const isMissing = error.code === "ENOENT" || error.code === "ENOTDIR";
    const what = isMissing
      ? `there is no ${quoted(declared)}`
      : `${quoted(declared)} ${error.code === "ELOOP" ? "is a link in a circle of links" : `cannot be read (${error.code})`}`;
    throw new FactoryError(isMissing ? "FILE_MISSING" : "FILE_UNREADABLE", what, {
      where,
      fix: isMissing ? "correct the source's `path`: it starts at the workspace's root" : "make it readable",
      cause: error,
    });
  }
  if (real === root) return ".";
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw outside();
  return relative(root, real).split(sep).join("/");
}

/** The lines of a folder's .gitignore; none if there is none. As git, it follows no link. @throws FactoryError */
function readGitignore(root: string, folder: string, where: Place): readonly IgnoreLine[] {
  const file = inFolder(folder, ".gitignore");
  const unreadable = (why: string, cause?: unknown) =>
    new FactoryError("FILE_UNREADABLE", `${quoted(file)} ${why}`, {
      where,
      fix: "correct it, or leave out the source's `from_gitignore`",
      cause,
    });
  let bytes: Buffer | undefined;
  try {
    bytes = readRegular(join(root, file), MOST_BYTES)?.bytes;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.code === "ENOENT" || error.code === "ELOOP" || error.code === "ENOTDIR") return [];
    throw unreadable(`cannot be read (${error.code})`, error);
  }
  if (!bytes) throw unreadable("is not a regular file of at most a mebibyte");
  return gitignoreLines(folder, bytes.toString());
}

function read(catalog: Catalog, declaration: DeclaredSource & { path: string }): Source {
  const { root } = catalog;
  const { name, path: written, ignore, from_gitignore, where } = declaration;
  const declared = posix.normalize(written).replace(/(?<=.)\/$/, "");
  const path = realPath(root, declared, where);
  const invalid = (what: string, fix: string) => new FactoryError("SOURCE_INVALID", what, { where, fix });
  if (path !== "." && !PLAIN.test(path)) {
    throw invalid(
      `the source \`${name}\` is at ${quoted(path)}, which has characters that mean something in a Dockerfile`,
      "declare the folder above it, leave out the rest with `ignore`, and copy the folder; names in it may have any characters",
    );
  }
  const folders = above(path);
  const outer = [
    ...OWN_LINES,
    ...(from_gitignore ? folders.flatMap((folder) => readGitignore(root, folder, where)) : []),
  ];
  const own = ignore.map((text) => ({ folder: path === "." ? "" : path, text }));
  const nested: IgnoreLine[] = [];
  const below = (folder: string, names: readonly string[]): readonly IgnoreLine[] => {
    if (!from_gitignore || !names.includes(".gitignore")) return [];
    const lines = readGitignore(root, folder === "." ? "" : folder, where);
    for (const line of lines) nested.push(line);
    return lines;
  };
  const rules = ignoreRules(outer, below, own);
  const parts = path === "." ? [] : path.split("/");
  const isFolder = statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
  const hidden = parts
    .map((_, at) => parts.slice(0, at + 1).join("/"))
    .find((one) => rules.ignores(one, isFolder || one !== path));
  if (hidden !== undefined) {
    throw invalid(
      `the source \`${name}\` is at ${quoted(path)}, which ${hidden === path ? "is" : "lies in what is"} left out itself`,
      from_gitignore
        ? "leave out `from_gitignore`, and name what is not wanted under `ignore`"
        : "choose another folder: this one is written by git or by Factory",
    );
  }
  const cache = join(
    root,
    ".factory/hashes",
    sha256Hex(JSON.stringify([path, ignore, from_gitignore])).slice(0, 32),
  );
  const tree = readTree({
    root,
    path,
    rules,
    cache,
    where,
    onProgress: catalog.onProgress ?? (() => undefined),
  });
  if (tree.isFolder && tree.entries === 1) {
    throw invalid(
      `the source \`${name}\` is at ${quoted(path)}, in which there is nothing${tree.ignored.length > 0 ? " that is not ignored" : ""}`,
      "correct its `path` or its `ignore`; a submodule has to be checked out",
    );
  }
  const lines = [...outer, ...nested, ...own];
  return {
    ...tree,
    path,
    declared,
    where,
    lines,
    leavesOut: leftOutBy(lines),
    gitignores: from_gitignore ? folders.map((folder) => inFolder(folder, ".gitignore")) : [],
  };
}

const sourcesOf = ofCatalog(() => new Map<string, Source>());

/**
 * Reads a source: once per catalog, whichever cells copy it.
 * @throws FactoryError SOURCE_INVALID, FILE_OUTSIDE, FILE_MISSING, FILE_UNREADABLE, FILE_TOO_LARGE, FILE_CHANGED
 */
export function sourceOf(catalog: Catalog, declaration: DeclaredSource & { path: string }): Source {
  const { path, ignore, from_gitignore } = declaration;
  const key = JSON.stringify([path, ignore, from_gitignore]);
  return keep(sourcesOf(catalog), key, () => read(catalog, declaration));
}
