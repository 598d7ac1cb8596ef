import { setTimeout as wait } from "node:timers/promises";

/** Waits, in milliseconds. It does not reject, and ends early if the signal fires. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}
