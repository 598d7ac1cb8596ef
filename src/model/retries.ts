/** Whether another try may help: never, once more, several times, or only after a long wait. */
export type Again = "no" | "once" | "yes" | "long";

/** What is done about failures that may pass by themselves. */
export interface RetryPolicy {
  /** How often something is tried in all. */
  tries: number;
  /** The seconds between two tries, give or take a quarter. */
  wait_s: number;
  /** The most seconds that are waited in all. Who would have to wait longer gives up. */
  most_s: number;
}

/** What factory.yaml means that does not say otherwise. */
export const RETRIES: RetryPolicy = { tries: 3, wait_s: 10, most_s: 300 };

/** How many times longer the wait is, where a rate limit was met and nobody said for how long. */
const LONG = 3;

/** The failures of one piece of work, as they come. */
export interface Retries {
  /**
   * Counts a failed try.
   * @param asked milliseconds that the other side asks to be left alone
   * @returns how long to wait before the next try, in milliseconds; null if there is none
   */
  next: (again: Again, asked?: number) => number | null;
  /** How many tries have failed so far. */
  failed: () => number;
}

/** Decides about the tries of one piece of work. @param random from 0 up to, but not 1 */
export function startRetries(policy: RetryPolicy, random: () => number): Retries {
  const { tries, wait_s, most_s } = policy;
  let failed = 0;
  let waited = 0;
  return {
    failed: () => failed,
    next: (again, asked) => {
      failed += 1;
      if (again === "no" || failed >= (again === "once" ? Math.min(2, tries) : tries)) return null;
      const times = again === "long" && asked === undefined ? LONG * failed : 1;
      const wait = Math.max(wait_s * 1000 * times * (0.75 + random() / 2), asked ?? 0);
      waited += wait;
      return waited > most_s * 1000 ? null : wait;
    },
  };
}
