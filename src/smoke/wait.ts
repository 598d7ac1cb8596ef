import { setTimeout as delay } from "node:timers/promises";
import type { WaitFor } from "../schemas/types.ts";
import { OUTPUT_BYTES } from "./containers.ts";
import { endingOf } from "./ending.ts";
import { matchText } from "./match.ts";
import type { SmokeContext } from "./suite-run.ts";
import { quoted } from "./text.ts";

/** The wait between two looks, in milliseconds: first, growth, longest. */
export const BACKOFF = { first: 10, growth: 1.5, longest: 500 };

/** How much of a container's output is looked at. */
const LOGS = { tail: 5000, maxBytes: 256 * 1024 };

/** What is waited for, for people. */
export function waitText({ log, command, path }: WaitFor): string {
  if (command) return `${command.map((one) => quoted(one, 100)).join(" ")} exits with 0`;
  if (path !== undefined) return `${path} has a status of 2xx`;
  return matchText("its log", log ?? null, "")
    .map(({ expected }) => expected)
    .join("; ");
}

/** Whether it holds now: null if it does, else what was seen. `for good` means that it never will. */
type Look = null | { seen: string; forGood?: true };

async function look(
  context: SmokeContext,
  id: string,
  { log, command, path }: WaitFor,
  { get, stop }: { get?: (path: string) => Promise<string | null>; stop: AbortSignal },
): Promise<Look> {
  const { containers } = context.docker;
  if (command) {
    const ran = await containers.exec(id, command, { maxBytes: OUTPUT_BYTES, signal: stop });
    if ("refused" in ran) return { seen: ran.refused };
    const { exitCode, stdout, stderr } = ran.value;
    if (exitCode === 0) return null;
    return {
      seen: `it exited with ${exitCode ?? "?"}; ${quoted((stderr || stdout).trim().slice(-200), 200)}`,
    };
  }
  if (path !== undefined) {
    const seen = (await get?.(path)) ?? null;
    return seen === null ? null : { seen };
  }
  const { stdout, stderr } = await containers.logs(id, LOGS);
  const found = matchText("its log", log ?? null, `${stdout}${stderr}`);
  const broken = found.find(({ status }) => status === "error");
  if (broken) return { seen: broken.actual, forGood: true };
  const missing = found.find(({ status }) => status === "fail");
  return missing ? { seen: missing.actual } : null;
}

/**
 * Looks at a container again and again until what is waited for holds.
 * @param how `get` asks a path of the container: null for a status of 2xx, else what came instead
 * @returns null if it holds; else what was seen last, when `stop` fired or the container has ended
 */
export async function waitFor(
  context: SmokeContext,
  id: string,
  wait: WaitFor,
  how: { get?: (path: string) => Promise<string | null>; stop: AbortSignal },
): Promise<string | null> {
  let seen = "nothing yet";
  try {
    for (let ms = BACKOFF.first; ; ms = Math.min(ms * BACKOFF.growth, BACKOFF.longest)) {
      const found = await look(context, id, wait, how);
      if (!found) return null;
      ({ seen } = found);
      if (found.forGood || (await endingOf(context, id)).how !== "running") return seen;
      await delay(ms, undefined, { signal: how.stop });
    }
  } catch (error) {
    context.signal.throwIfAborted();
    if (how.stop.aborted) return seen;
    throw error;
  }
}
