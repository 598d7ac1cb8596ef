import { FactoryError } from "../errors.ts";

/**
 * The pace of long work: it yields to the event loop often, so that a signal takes effect at once, and it reports
 * progress.
 */
export interface Pace {
  /** Whether it is time to rest. This is cheap: call it for every item. */
  due: () => boolean;
  /**
   * Yields, and reports progress: `done` of `total` items of `what`, or null while the total is unknown. Progress is reported once a second, for the first time
   * after a second.
   * @throws FactoryError INTERRUPTED
   */
  rest: (what: string, done: number, total: number | null) => Promise<void>;
  /** Reports, just as often, the progress of work that yields by itself. */
  tell: (text: () => string) => void;
}

/** Milliseconds of work between two rests. */
const TURN_MS = 20;
/** Milliseconds between two lines of progress. */
const TELL_MS = 1000;

const number = new Intl.NumberFormat("en");

export function interrupted(cause?: unknown): FactoryError {
  return new FactoryError("INTERRUPTED", "interrupted while reading the image", { cause });
}

/** @param options.now milliseconds of a clock that only moves forward */
export function createPace(options: {
  signal?: AbortSignal;
  now: () => number;
  onProgress?: (text: string) => void;
}): Pace {
  const { signal, now, onProgress } = options;
  let turn = now();
  let told = turn;
  const tell = (text: () => string) => {
    const time = now();
    if (time - told < TELL_MS) return;
    told = time;
    onProgress?.(text());
  };
  return {
    due: () => now() - turn >= TURN_MS,
    rest: async (what, done, total) => {
      await new Promise<void>((resume) => void setImmediate(resume));
      if (signal?.aborted) throw interrupted(signal.reason);
      turn = now();
      tell(() => `${what}: ${number.format(done)}${total === null ? "" : ` of ${number.format(total)}`}`);
    },
    tell,
  };
}
