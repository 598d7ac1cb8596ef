import type { SiteEntry } from "./site-store.ts";

/** What the attempts of a day came to. */
export interface DayHealth {
  /** `2026-11-21`, UTC. */
  day: string;
  pass: number;
  expected: number;
  fail: number;
  error: number;
  /** Milliseconds that attempts took, in the middle. */
  median: number;
}

const medianOf = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

/**
 * The newest days that have attempts, the oldest of them first. Days without any are left out: one clock that is wrong by years
 * empties no picture.
 * @param entries in any order
 */
export function dailyHealth(entries: Iterable<SiteEntry>, most: number): DayHealth[] {
  const days = new Map<string, DayHealth & { took: number[] }>();
  for (const { testedAt, status, expected, durationMs } of entries) {
    const day = testedAt.slice(0, 10);
    let own = days.get(day);
    if (!own) {
      own = { day, pass: 0, expected: 0, fail: 0, error: 0, median: 0, took: [] };
      days.set(day, own);
    }
    own[status === "fail" && expected ? "expected" : status] += 1;
    own.took.push(durationMs);
  }
  return [...days.values()]
    .sort((a, b) => (a.day < b.day ? -1 : 1))
    .slice(-most)
    .map(({ took, ...day }) => ({ ...day, median: medianOf(took) }));
}
