/** How long a registry may take to say anything at all. */
const ANSWER_MS = 4000;

/** Whether the registry of a repository is on this machine's loopback, such as `127.0.0.1:5000/team`. */
export function isLoopback(repository: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?\//.test(`${repository}/`);
}

/**
 * Whether a registry answers. Any HTTP answer counts; waits four seconds at most. One on loopback that cannot be reached is
 * away; of another, only that it stays silent says so: the engine may reach what this process does not.
 */
export async function registryAnswers(repository: string): Promise<boolean> {
  const [host = ""] = repository.split("/");
  const loopback = isLoopback(repository);
  const silence = AbortSignal.timeout(ANSWER_MS);
  try {
    await fetch(`${loopback ? "http" : "https"}://${host}/v2/`, { signal: silence, redirect: "manual" });
    return true;
  } catch {
    return !loopback && !silence.aborted;
  }
}
