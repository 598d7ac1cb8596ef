import type { SmokeContext } from "./suite-run.ts";
import { quoted } from "./text.ts";

/** How much of a service's output is asked for. */
const LOGS = { tail: 20, maxBytes: 256 * 1024 };

/** The last lines that a container wrote, for people. */
export async function lastLines(context: SmokeContext, id: string): Promise<string> {
  const { stdout, stderr } = await context.docker.containers.logs(id, LOGS);
  const text = [stdout.trim(), stderr.trim()].filter((part) => part !== "").join("\n");
  return text === "" ? "it logged nothing" : `last lines ${quoted(text.slice(-300), 300)}`;
}
