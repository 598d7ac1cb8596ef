import { lstatSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, makeFolderIn, moveTo, removeTree } from "../files/folders.ts";
import type { Exec } from "./exec.ts";
import { COMMIT, failed, type Git, gitIn, repositoryOf } from "./git.ts";

/** Settings that keep every filter driver of the configuration from running: filtered files stay as git stores them. */
async function withoutFilters(git: Git): Promise<string[]> {
  const { stdout } = await git(["config", "--null", "--name-only", "--get-regexp", "^filter\\."], {
    ok: [0, 1],
  });
  const drivers = new Set(stdout.split("\0").flatMap((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []));
  const odd = [...drivers].find((name) => /[=\n]/.test(name));
  if (odd !== undefined) throw failed(`the filter ${JSON.stringify(odd)} cannot be kept from running`);
  return [...drivers].flatMap((name) => [
    `filter.${name}.smudge=`,
    `filter.${name}.process=`,
    `filter.${name}.required=false`,
  ]);
}

/** The top-level names of a workspace in a commit. @throws FactoryError GIT_FAILED, TOOL_MISSING */
export async function namesIn(exec: Exec, root: string, commit: string): Promise<string[]> {
  const { git, prefix } = await repositoryOf(exec, root);
  const { stdout } = await git(["ls-tree", "-z", "--name-only", `${commit}:${prefix}`]);
  return stdout.split("\0").filter((name) => name !== "");
}

/**
 * Writes top-level files and folders of the workspace as a checkout of the commit would have them: links and executable
 * files as git has them, line ends as the commit's own attributes say. Touches no index, no work tree and no hook; fetches
 * nothing. No filter driver runs: what is kept in Git LFS stays a pointer. A submodule is an empty folder. Names that the
 * commit does not have are left out.
 * @param root absolute path of the workspace, which may be a folder of the repository
 * @param commit its whole hash
 * @param names single names, such as `factory.yaml` and `fragments`
 * @param into absolute path of a folder without these names; made if it is missing
 * @throws FactoryError GIT_FAILED, WRITE_FAILED, TOOL_MISSING
 */
export async function exportTree(
  exec: Exec,
  root: string,
  commit: string,
  names: readonly string[],
  into: string,
): Promise<void> {
  if (!COMMIT.test(commit)) throw new RangeError(`not the hash of a commit: ${commit}`);
  const odd = names.find((name) => name === "" || name === "." || name === ".." || /[/\\\0]/.test(name));
  if (odd !== undefined) throw new RangeError(`not a single name: ${odd}`);
  const { git, gitDir, prefix } = await repositoryOf(exec, root);
  const filters = await withoutFilters(git);
  const work = makeFolderIn(into, ".git-export-");
  try {
    const tree = join(work, "tree");
    makeFolder(tree);
    const settings = [
      "core.symlinks=true",
      "core.fileMode=true",
      "core.sparseCheckout=false",
      "core.quotePath=true",
      ...filters,
    ];
    const away = gitIn(exec, tree, settings);
    const at = [`--git-dir=${gitDir}`, `--work-tree=${tree}`];
    const env = { GIT_INDEX_FILE: join(work, "index") };
    await away([...at, "read-tree", commit], { env });
    if (names.length === 0) return;
    // One path per line, quoted if it has bytes that are not text: checkout-index reads what ls-files writes.
    const { stdout } = await away([...at, "ls-files", "--", ...names.map((name) => prefix + name)], { env });
    // With an empty work tree, the commit's own .gitattributes apply.
    await away([...at, "checkout-index", "--quiet", "--stdin"], { env, input: stdout });
    for (const path of stdout.split("\n").slice(0, -1)) {
      if (!path.startsWith('"') && !lstatSync(join(tree, path), { throwIfNoEntry: false }))
        throw failed(`${path} of the commit ${commit} could not be written`);
    }
    for (const name of new Set(names)) {
      const from = join(tree, prefix, name);
      if (lstatSync(from, { throwIfNoEntry: false })) moveTo(from, join(into, name));
    }
  } finally {
    removeTree(work);
  }
}
