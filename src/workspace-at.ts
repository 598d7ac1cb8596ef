import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { type OpenCatalog, openCatalog } from "./catalog/open.ts";
import { makeFolderIn, removeTree } from "./files/folders.ts";
import { FactoryError } from "./errors.ts";
import type { Registries } from "./library/fetch-library.ts";
import { librariesThen } from "./library/libraries-then.ts";
import { sourceNames } from "./plan/decide/source-names.ts";
import type { Exec } from "./tools/exec.ts";
import { mergeBase } from "./tools/git.ts";
import { exportTree, namesIn } from "./tools/git-export.ts";

/** A workspace of another time, until it is removed; or why there is none. */
export type WorkspaceThen = { catalog: OpenCatalog; remove: () => void } | { unknown: string };

/** The paths of a repository that make up a workspace, without its records. */
const WORKSPACE_NAMES = [
  "factory.yaml",
  "factory.lock",
  "manifests",
  "fragments",
  "templates",
  "control_plane",
];

/** The top-level names of the folders that libraries are in. */
function libraryNames(catalog: OpenCatalog): string[] {
  return catalog.libraries().flatMap(({ source: { path } }) => {
    const [name = ""] = path === undefined ? [] : posix.normalize(path).split("/", 1);
    return ["", ".", ".."].includes(name) ? [] : [name];
  });
}

/**
 * The workspace as it was at the merge base of HEAD and a commit, with the sources that its documents declare, in a temporary
 * folder; `unknown` says why there is none. @throws FactoryError GIT_FAILED, TOOL_MISSING
 */
export async function workspaceAt(
  exec: Exec,
  root: string,
  ref: string,
  registries: () => Promise<Registries>,
): Promise<WorkspaceThen> {
  const found = await mergeBase(exec, root, ref);
  if (found.commit === null) {
    const why = found.cause === "unknown-ref" ? `git knows no ${ref}` : `HEAD and ${ref} have no merge base`;
    const clone = "; this clone is shallow: fetch its whole history (`fetch-depth: 0`)";
    return { unknown: `${why}${found.shallow ? clone : ""}` };
  }
  return treeAt(exec, root, found.commit, `the merge base with ${ref}`, registries);
}

/**
 * The workspace as it was at a commit, as `workspaceAt` gives it; `unknown` says why there is none.
 * @param commit its whole name @throws FactoryError TOOL_MISSING
 */
export async function workspaceAtCommit(
  exec: Exec,
  root: string,
  commit: string,
  registries: () => Promise<Registries>,
): Promise<WorkspaceThen> {
  try {
    return await treeAt(exec, root, commit, commit.slice(0, 12), registries);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "GIT_FAILED") throw error;
    return { unknown: `this clone does not have the commit ${commit.slice(0, 12)}: fetch its whole history` };
  }
}

async function treeAt(
  exec: Exec,
  root: string,
  commit: string,
  where: string,
  registries: () => Promise<Registries>,
): Promise<WorkspaceThen> {
  const folder = makeFolderIn(tmpdir(), "factory-since-");
  const remove = () => removeTree(folder);
  try {
    await exportTree(exec, root, commit, WORKSPACE_NAMES, folder);
    if (!existsSync(join(folder, "factory.yaml"))) {
      remove();
      return { unknown: `there was no workspace at ${where}` };
    }
    const known = new Set(WORKSPACE_NAMES);
    const before = openCatalog(folder);
    for (const name of libraryNames(before)) {
      if (known.has(name)) continue;
      await exportTree(exec, root, commit, [name], folder);
      known.add(name);
    }
    const why = before.libraries().length === 0 ? null : await librariesThen(root, before, registries);
    if (why !== null) {
      remove();
      return { unknown: why };
    }
    const catalog = openCatalog(folder);
    for (;;) {
      // A source may be reached through links: each may lead to a folder that is not there yet.
      const wanted = sourceNames(catalog);
      const all = wanted.includes(".") ? await namesIn(exec, root, commit) : wanted;
      const missing = all.filter((name) => !known.has(name));
      if (missing.length === 0) return { catalog, remove };
      await exportTree(exec, root, commit, missing, folder);
      for (const name of missing) known.add(name);
    }
  } catch (error) {
    remove();
    throw error;
  }
}
