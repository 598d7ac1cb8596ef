import { eventsFor } from "./ci/detect.ts";
import type { CiEvent, Environment } from "./ci/system.ts";
import { FactoryError } from "./errors.ts";
import { readInput } from "./files/read-input.ts";

/** No known system sends a larger event. */
const MOST_BYTES = 25 << 20;

/**
 * Why this job runs: what a file says, else what the CI system that runs this process says. null if there is neither.
 * @param file `-` for stdin; undefined for the CI system's own
 * @param cwd absolute
 * @throws FactoryError FILE_UNREADABLE, FILE_TOO_LARGE, EVENT_INVALID
 */
export function readCiEvent(file: string | undefined, cwd: string, env: Environment): CiEvent | null {
  const events = eventsFor(env);
  const path = file ?? events?.path(env);
  if (!events || path === undefined) return null;
  const { fix } = events;
  const text = readInput(path, cwd, { most: MOST_BYTES, fix });
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (cause) {
    throw new FactoryError("EVENT_INVALID", `${path} is not JSON`, { fix, cause });
  }
  return events.read(payload);
}
