import { RegistryError } from "./registry-error.ts";

export interface Retrying {
  /** Does not reject; ends early if the signal fires. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, but not 1. */
  random: () => number;
  /** How often it is tried in all. Default: 3. */
  tries?: number;
  /** The time between two tries, give or take a quarter. Default: 10 s. */
  waitMs?: number;
  /** The most time that is waited in all; who is asked to wait longer gives up. Default: 5 min. */
  mostMs?: number;
  /** Called before each wait. */
  onRetry?: (error: RegistryError, waitMs: number) => void;
  signal?: AbortSignal;
}

/**
 * Does something again that failed for a reason that may pass by itself. `Retry-After` is waited for.
 * @param work is called with the number of the try, from 1
 * @throws the last error of `work`
 */
export async function retrying<T>(work: (attempt: number) => Promise<T>, options: Retrying): Promise<T> {
  const { sleep, random, tries = 3, waitMs = 10_000, mostMs = 300_000, onRetry, signal } = options;
  let waited = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.again === "no" || signal?.aborted) throw error;
      if (attempt >= (error.again === "once" ? Math.min(2, tries) : tries)) throw error;
      const wait = Math.max(waitMs * (0.75 + random() / 2), error.retryAfterMs ?? 0);
      waited += wait;
      if (waited > mostMs) throw error;
      onRetry?.(error, wait);
      await sleep(wait, signal);
      if (signal?.aborted) throw error;
    }
  }
}
