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
