import type { Exec } from "./exec.ts";

/** The commit that is checked out, and whether files differ from it. Both null outside a repository or without git. */
export async function sourceState(
  exec: Exec,
  root: string,
): Promise<{ commit: string | null; dirty: boolean | null }> {
  try {
    const head = await exec("git", ["-C", root, "rev-parse", "--verify", "HEAD"], { timeoutMs: 10_000 });
    if (head.exitCode !== 0) return { commit: null, dirty: null };
    const status = await exec("git", ["-C", root, "status", "--porcelain", "--untracked-files=normal"], {
      timeoutMs: 30_000,
    });
    return { commit: head.stdout.trim(), dirty: status.exitCode === 0 ? status.stdout.trim() !== "" : null };
  } catch {
    return { commit: null, dirty: null };
  }
}
