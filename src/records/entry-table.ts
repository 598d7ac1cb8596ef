import { compareText } from "../model/compare.ts";
import type { Attempt } from "../plan/decide/attempts.ts";
import { attemptAt } from "./index-line.ts";
import type { Entry } from "./shelf.ts";

/**
 * Entries by a key that is read from their lines, newest first. The table is made when it is first needed: for each key
 * the newest entry, and for each entry the next older one with the same key.
 * @param entries oldest first
 */
export function tableOf(
  entries: readonly Entry[],
  keyAt: (bytes: Buffer, start: number) => string,
): (key: string) => Attempt[] {
  let newest: Map<string, number> | undefined;
  let older = new Int32Array(0);
  const fill = () => {
    older = new Int32Array(entries.length);
    const heads = new Map<string, number>();
    for (const [at, { bytes, start }] of entries.entries()) {
      const key = keyAt(bytes, start);
      older[at] = heads.get(key) ?? -1;
      heads.set(key, at);
    }
    return heads;
  };
  return (key) => {
    newest ??= fill();
    const found: Attempt[] = [];
    for (let at = newest.get(key) ?? -1; at >= 0; at = older[at] ?? -1) {
      const entry = entries[at];
      if (entry) found.push(attemptAt(entry.bytes, entry.start, entry.manifestId));
    }
    return found;
  };
}

/** The entry of a record, by binary search. @param entries of one manifest, oldest first */
export function entryOf(entries: readonly Entry[], recordId: string): Entry | undefined {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareText(entries[middle]?.id ?? "", recordId) < 0) from = middle + 1;
    else to = middle;
  }
  return entries[from]?.id === recordId ? entries[from] : undefined;
}
