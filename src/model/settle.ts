/** How often a change is made again that others undo. */
const TRIES = 20;
/** How long to wait at least before it is looked for, in milliseconds: longer than others take to read and write. */
const MOMENT_MS = 250;

/**
 * Changes something that others change too, where nothing can be changed only if nobody else did: what one writer adds can be
 * lost to another one. So it is looked for after a moment, and made again if it is gone.
 * @param change reads, and writes if it has to; whether it wrote
 * @returns false if others go on undoing it
 */
export async function settle(
  change: () => Promise<boolean>,
  around: {
    sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
    /** From 0 up to, but not 1. */
    random: () => number;
    signal: AbortSignal;
  },
): Promise<boolean> {
  const { sleep, random, signal } = around;
  for (let left = TRIES; left > 0; left -= 1) {
    const began = performance.now();
    if (!(await change())) return true;
    // Others take about as long as this did.
    const took = performance.now() - began;
    await sleep(Math.max(MOMENT_MS, 4 * took) * (1 + random()), signal);
  }
  return false;
}
