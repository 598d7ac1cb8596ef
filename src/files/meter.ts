import { performance } from "node:perf_hooks";

const SECOND = 1000;

/**
 * Lets long work say how far it is, about once a second, beginning after a second.
 * @param say what it says
 * @returns to be called often
 */
export function createMeter(say: () => void): () => void {
  let next = performance.now() + SECOND;
  return () => {
    const now = performance.now();
    if (now < next) return;
    next = now + SECOND;
    say();
  };
}
