import { FactoryError } from "../errors.ts";
import type { Exec } from "./exec.ts";
import { gitIn } from "./git.ts";

const TIMEOUT_MS = 30_000;
/** As much as a hundred thousand tags. */
const MAX_BYTES = 16 << 20;

/**
 * What a repository calls what is checked out in a folder: its commit, its branch, the branch that its origin has checked
 * out, and its tags. What there is not, as outside of a repository or without git, is null or empty.
 */
export async function gitNames(exec: Exec, root: string) {
  const git = gitIn(exec, root);
  const lines = async (...argv: readonly string[]): Promise<string[]> => {
    try {
      const { stdout } = await git(argv, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
      return stdout.split("\n").filter((line) => line !== "");
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
      return [];
    }
  };
  const short = async (ref: string): Promise<string | null> => {
    const [name] = await lines("symbolic-ref", "--quiet", ref);
    return name === undefined ? null : name.replace(/^refs\/(heads|remotes\/origin)\//, "");
  };
  const [commit = null] = await lines("rev-parse", "--verify", "--quiet", "HEAD^{commit}");
  const format = "--format=%(refname:strip=2)";
  return {
    commit,
    branch: await short("HEAD"),
    default_branch: await short("refs/remotes/origin/HEAD"),
    tags: commit === null ? [] : await lines("for-each-ref", format, "refs/tags"),
    tags_here: commit === null ? [] : await lines("for-each-ref", format, "--points-at=HEAD", "refs/tags"),
  };
}

/** As much as two million commits. */
const MOST_COMMITS = 128 << 20;
/** Digits by which tags of images name a commit. */
const SHORT = 7;

/**
 * When all commits that a clone knows were made, in milliseconds since 1970, by their first seven digits: the newest where several
 * have the same. Empty outside of a repository.
 */
export async function commitTimes(exec: Exec, root: string): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  try {
    await gitIn(exec, root)(["log", "--all", "--format=%ct %H"], {
      timeoutMs: 2 * TIMEOUT_MS,
      maxBytes: MOST_COMMITS,
      onStdoutLine: (line) => {
        const [seconds, commit = ""] = line.split(" ");
        const digits = commit.slice(0, SHORT);
        times.set(digits, Math.max(Number(seconds) * 1000, times.get(digits) ?? 0));
      },
    });
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
  }
  return times;
}
