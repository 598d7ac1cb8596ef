import { FactoryError } from "../errors.ts";
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

/** A whole hash. */
export const COMMIT = /^[a-f0-9]{40}(?:[a-f0-9]{24})?$/;
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

/** What git could not answer. */
export function failed(what: string, cause?: unknown): FactoryError {
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
export async function repositoryOf(exec: Exec, root: string) {
  const git = gitIn(exec, root);
  const asked = ["--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir"];
  const { stdout } = await git(["rev-parse", ...asked], { timeoutMs: ANSWER_MS });
  const [inside, shallow, ...rest] = stdout.split("\n");
  if (inside !== "true") throw failed("it is not in the work tree of a repository");
  const prefix = (await git(["rev-parse", "--show-prefix"])).stdout.replace(/\n$/, "");
  return { git, shallow: shallow === "true", gitDir: rest.slice(0, -1).join("\n"), prefix };
}

export type Git = ReturnType<typeof gitIn>;

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
 * The whole hash of the commit that a branch, a tag or the beginning of a hash names; null for none that this clone knows.
 * @throws FactoryError GIT_FAILED, TOOL_MISSING
 */
export async function commitNamed(exec: Exec, root: string, ref: string): Promise<string | null> {
  return commitOf(gitIn(exec, root), ref);
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
