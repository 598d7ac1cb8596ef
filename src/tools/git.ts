import { lstatSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { makeFolder, makeFolderIn, moveTo, removeTree } from "../files/folders.ts";
import type { Exec, ExecOptions } from "./exec.ts";

/** Where two lines of history part, or why that cannot be determined. */
export type MergeBase =
  | { commit: string }
  | {
      commit: null;
      /** No such ref here, or no commit in both histories. */
      cause: "unknown-ref" | "no-merge-base";
      /** Whether this clone lacks history, which may be the whole cause. */
      shallow: boolean;
    };

const COMMIT = /^[a-f0-9]{40}(?:[a-f0-9]{24})?$/;
const TIMEOUT_MS = 120_000;
/** What git needs no history for is answered soon, or never: its files may be pipes. */
const ANSWER_MS = 30_000;
const MAX_BYTES = 256 << 20;

/** Variables that a caller under git, such as a hook, passes on about another repository, index or way of naming paths. */
const REDIRECTIONS = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_ATTR_SOURCE",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_GLOB_PATHSPECS",
  "GIT_GRAFT_FILE",
  "GIT_ICASE_PATHSPECS",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_NAMESPACE",
  "GIT_NOGLOB_PATHSPECS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
];

/** If an object is missing, git would fetch it from the clone's origin: no protocol is allowed for that. */
const OFFLINE = { GIT_ALLOW_PROTOCOL: "none", GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0" };

/** No program of the user's configuration is run, and nothing is written but what is asked for. */
const QUIET = ["core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false"];

function failed(what: string, cause?: unknown): FactoryError {
  return new FactoryError("GIT_FAILED", `git cannot answer about the workspace: ${what}`, {
    fix: "run it in a whole clone (in CI `fetch-depth: 0`, without a filter), or without `--since`",
    cause,
  });
}

/** Runs git in a folder: in the repository that the folder is in, whatever the environment says. */
export function gitIn(exec: Exec, folder: string, settings: readonly string[] = []) {
  const argv = ["-C", folder, ...[...QUIET, ...settings].flatMap((one) => ["-c", one])];
  return async (
    words: readonly string[],
    { ok = [0], env, ...options }: ExecOptions & { ok?: readonly number[] } = {},
  ) => {
    // Undefined values are left out of the child's environment.
    const without = Object.fromEntries(REDIRECTIONS.map((name) => [name, undefined]));
    const result = await exec("git", [...argv, ...words], {
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      ...options,
      env: {
        ...without,
        ...OFFLINE,
        GIT_LITERAL_PATHSPECS: "1",
        GIT_OPTIONAL_LOCKS: "0",
        LC_ALL: "C",
        ...env,
      },
    });
    if (result.exitCode !== null && ok.includes(result.exitCode)) return result;
    const said = result.stderr.trim().split("\n").slice(-3).join("; ");
    const end = result.timedOut ? "took too long" : `ended with ${result.exitCode ?? "a signal"}`;
    throw failed(said === "" ? `\`git ${words[0] ?? ""}\` ${end}` : said);
  };
}

/**
 * The commit that is checked out in a folder, whatever repository a caller's environment names, and whether files differ from
 * it. Both null outside a repository or without git.
 */
export async function sourceState(
  exec: Exec,
  root: string,
): Promise<{ commit: string | null; dirty: boolean | null }> {
  const git = gitIn(exec, root);
  const saidBy = async (argv: readonly string[], timeoutMs: number): Promise<string | null> => {
    try {
      return (await git(argv, { timeoutMs })).stdout.trim();
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      return null;
    }
  };
  const commit = await saidBy(["rev-parse", "--verify", "HEAD"], 10_000);
  if (commit === null) return { commit, dirty: null };
  const changes = await saidBy(["status", "--porcelain", "--untracked-files=normal"], ANSWER_MS);
  return { commit, dirty: changes === null ? null : changes !== "" };
}

/** The repository that a workspace is in. @throws FactoryError GIT_FAILED */
async function repositoryOf(exec: Exec, root: string) {
  const git = gitIn(exec, root);
  const asked = ["--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir"];
  const { stdout } = await git(["rev-parse", ...asked], { timeoutMs: ANSWER_MS });
  const [inside, shallow, ...rest] = stdout.split("\n");
  if (inside !== "true") throw failed("it is not in the work tree of a repository");
  const prefix = (await git(["rev-parse", "--show-prefix"])).stdout.replace(/\n$/, "");
  return { git, shallow: shallow === "true", gitDir: rest.slice(0, -1).join("\n"), prefix };
}

type Git = ReturnType<typeof gitIn>;

/** The commit that a ref names; null if there is no such ref. @throws FactoryError GIT_FAILED if it is not a commit */
async function commitOf(git: Git, ref: string): Promise<string | null> {
  if (ref === "" || /[\0\n]/.test(ref)) return null;
  const resolve = async (name: string) => {
    const argv = ["rev-parse", "--verify", "--quiet", "--end-of-options", name];
    const { exitCode, stdout } = await git(argv, { ok: [0, 1] });
    return exitCode === 0 ? stdout.trim() : null;
  };
  const commit = await resolve(`${ref}^{commit}`);
  // `^main` is an expression that git accepts, but it names no commit.
  if (commit !== null) return COMMIT.test(commit) ? commit : null;
  const object = await resolve(ref);
  if (object === null || !COMMIT.test(object)) return null;
  const { exitCode, stdout } = await git(["cat-file", "-t", object], { ok: [0, 1, 128] });
  if (exitCode === 0)
    throw failed(`${JSON.stringify(ref)} is a ${stdout.trim()} and does not lead to a commit`);
  // Git accepts a whole hash without checking whether the object exists.
  if (object === ref.toLowerCase()) return null;
  throw failed(`the commit of ${JSON.stringify(ref)} is missing: ${object}`);
}

/**
 * The newest commit that is both in the history of a ref and in that of what is checked out.
 * @param root absolute path of the workspace, which may be a folder of the repository
 * @param ref a branch, tag or commit; never taken for an option
 * @throws FactoryError GIT_FAILED for all but an unknown ref and histories that do not meet, TOOL_MISSING
 */
export async function mergeBase(exec: Exec, root: string, ref: string): Promise<MergeBase> {
  const { git, shallow } = await repositoryOf(exec, root);
  const other = await commitOf(git, ref);
  if (other === null) return { commit: null, cause: "unknown-ref", shallow };
  const head = await commitOf(git, "HEAD");
  if (head === null) return { commit: null, cause: "no-merge-base", shallow };
  const { exitCode, stdout } = await git(["merge-base", head, other], { ok: [0, 1] });
  const commit = stdout.split("\n", 1)[0] ?? "";
  if (exitCode === 0 && COMMIT.test(commit)) return { commit };
  return { commit: null, cause: "no-merge-base", shallow };
}

/**
 * Whether a commit comes after what is checked out: it has that in its history, and is another one. No where this clone does not know
 * the commit. @param commit its whole hash @throws FactoryError GIT_FAILED, TOOL_MISSING
 */
export async function isAhead(exec: Exec, root: string, commit: string): Promise<boolean> {
  if (!COMMIT.test(commit)) return false;
  const { git } = await repositoryOf(exec, root);
  const [head, other] = [await commitOf(git, "HEAD"), await commitOf(git, commit)];
  if (head === null || other === null || head === other) return false;
  const { exitCode } = await git(["merge-base", "--is-ancestor", head, other], { ok: [0, 1] });
  return exitCode === 0;
}

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
