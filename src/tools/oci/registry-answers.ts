import { isLoopback } from "../../model/image-reference.ts";

/** How long a registry may take to give any answer. */
const ANSWER_MS = 4000;

/**
 * Whether a registry answers. Any HTTP answer counts; it waits at most four seconds. A registry on loopback that cannot be
 * reached is down. Any other one is only down if it stays silent: the engine may reach what this process cannot.
 * @param repository such as `127.0.0.1:5000/team`
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
