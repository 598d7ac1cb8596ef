import { type RetryPolicy, startRetries } from "../../model/retries.ts";
import { RegistryError } from "./registry-error.ts";

export interface Retrying {
  policy: RetryPolicy;
  /** Does not reject; ends early if the signal fires. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, but not 1. */
  random: () => number;
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
  const { policy, sleep, random, onRetry, signal } = options;
  const retries = startRetries(policy, random);
  for (;;) {
    try {
      return await work(retries.failed() + 1);
    } catch (error) {
      if (!(error instanceof RegistryError) || signal?.aborted) throw error;
      const wait = retries.next(error.again, error.retryAfterMs);
      if (wait === null) throw error;
      onRetry?.(error, wait);
      await sleep(wait, signal);
      if (signal?.aborted) throw error;
    }
  }
}
