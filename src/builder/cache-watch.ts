import type { BakeOptions, Buildx } from "../tools/buildx.ts";
import type { ExecResult } from "../tools/exec.ts";
import type { Progress } from "./progress.ts";

/** Calls again and again, every so many milliseconds, until the returned function is called. */
export type Every = (ms: number, call: () => void) => () => void;

/*
 * Measured on BuildKit 0.25: it waits forever for a cache registry that accepts a request but does not answer it. A build
 * that is ended leaves the request open, and every build that shares a step with it waits too, until the registry ends it.
 */

/** How many seconds a bake may do nothing but wait for the registry cache. */
export const CACHE_WAIT_S = 20;

/** How many seconds the next bake, without the cache, may do nothing at all. */
export const BLOCKED_S = 60;

/** Leaves the registry cache out of all targets of a bake. */
export const WITHOUT_CACHE = ["*.cache-from=", "*.cache-to="];

/**
 * Bakes, and ends the bake if it does nothing but wait for some seconds.
 * @param watch `waits` says whether the bake is only waiting now; `seconds` is how long that may last
 * @returns the result, with `silent` if the bake was ended for that reason
 */
export async function bakeWatched(
  options: BakeOptions,
  watch: { waits: () => boolean; seconds: number },
  deps: { buildx: Pick<Buildx, "bake">; every: Every },
): Promise<ExecResult & { silent: boolean }> {
  const silent = new AbortController();
  let seconds = 0;
  const stop = deps.every(1000, () => {
    seconds = watch.waits() ? seconds + 1 : 0;
    if (seconds >= watch.seconds) silent.abort();
  });
  const { signal, onLine } = options;
  try {
    const result = await deps.buildx.bake({
      ...options,
      signal: signal ? AbortSignal.any([signal, silent.signal]) : silent.signal,
      onLine: (line) => {
        seconds = 0;
        onLine(line);
      },
    });
    return { ...result, silent: silent.signal.aborted && !signal?.aborted };
  } finally {
    stop();
  }
}

/** What to watch for in a bake with a registry cache. */
export function cacheWait(progress: Progress): { waits: () => boolean; seconds: number } {
  const waits = () => {
    const names = progress.underWay();
    return names.length > 0 && names.every((name) => CACHE_NAME.test(name));
  };
  return { waits, seconds: CACHE_WAIT_S };
}

/** What to watch for in a bake after one that waited for its cache in vain. */
export function blockedWait(progress: Progress): { waits: () => boolean; seconds: number } {
  return { waits: () => progress.underWay().length === 0, seconds: BLOCKED_S };
}

/** BuildKit's names for work with a cache that is elsewhere. */
const CACHE_NAME =
  /^(\[[^\]]*\] )?(importing cache manifest from|exporting (cache )?to (registry|GitHub Actions Cache|Amazon S3))/;
