import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { type OpenCatalog, openCatalog } from "./catalog/open.ts";
import { makeFolderIn, removeTree } from "./files/folders.ts";
import type { Registries } from "./library/fetch-library.ts";
import { librariesThen } from "./library/libraries-then.ts";
import { sourceNames } from "./plan/decide/source-names.ts";
import type { Exec } from "./tools/exec.ts";
import { exportTree, mergeBase, namesIn } from "./tools/git.ts";

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
): Promise<{ catalog: OpenCatalog; remove: () => void } | { unknown: string }> {
  const found = await mergeBase(exec, root, ref);
  if (found.commit === null) {
    const why = found.cause === "unknown-ref" ? `git knows no ${ref}` : `HEAD and ${ref} have no merge base`;
    const clone = "; this clone is shallow: fetch its whole history (`fetch-depth: 0`)";
    return { unknown: `${why}${found.shallow ? clone : ""}` };
  }
  const folder = makeFolderIn(tmpdir(), "factory-since-");
  const remove = () => removeTree(folder);
  try {
    await exportTree(exec, root, found.commit, WORKSPACE_NAMES, folder);
    if (!existsSync(join(folder, "factory.yaml"))) {
      remove();
      return { unknown: `there was no workspace at the merge base with ${ref}` };
    }
    const known = new Set(WORKSPACE_NAMES);
    const before = openCatalog(folder);
    for (const name of libraryNames(before)) {
      if (known.has(name)) continue;
      await exportTree(exec, root, found.commit, [name], folder);
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
      const all = wanted.includes(".") ? await namesIn(exec, root, found.commit) : wanted;
      const missing = all.filter((name) => !known.has(name));
      if (missing.length === 0) return { catalog, remove };
      await exportTree(exec, root, found.commit, missing, folder);
      for (const name of missing) known.add(name);
    }
  } catch (error) {
    remove();
    throw error;
  }
}
