/** Whether the registry of a repository is on this machine's loopback, such as `127.0.0.1:5000/team`. */
export function isLoopback(repository: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?\//.test(`${repository}/`);
}

/** Whether a registry on loopback answers at all. Any HTTP answer counts; waits two seconds at most. */
export async function loopbackRegistryAnswers(repository: string): Promise<boolean> {
  const [host = ""] = repository.split("/");
  try {
    await fetch(`http://${host}/v2/`, { signal: AbortSignal.timeout(2000), redirect: "manual" });
    return true;
  } catch {
    return false;
  }
}
