import { leastCover } from "./least-cover.ts";
import type { Outcomes } from "./outcomes.ts";
import { isNone, type RowSet, common, allRows, rowsByValue } from "./row-sets.ts";
import { MOST_VALUES, type Suspect, suspectsIn } from "./suspects.ts";

/** A combination of values that explains failures. */
export interface Cause {
  /** Ids, ascending; empty if nothing ever passed. */
  values: Suspect;
  /** The failing rows that have it. */
  rows: readonly number[];
  /** Those of them that no other cause of the explanation has. */
  own: readonly number[];
  /** All that could be in its place: in each of its own rows, and in nothing that passed. Itself comes first. */
  possible: readonly Suspect[];
}

export interface Explanation {
  causes: Cause[];
  /** Whether there is no smaller explanation; with very many values that is not known. */
  smallest: boolean;
}

/** How many that could be in a cause's place are listed. */
const MOST_POSSIBLE = 20_000;

/** Every combination of some ids that no passing row has, of at most `most` of them; the smallest first. */
function unseen(
  ids: readonly number[],
  most: number,
  passingBy: readonly RowSet[],
  count: number,
): Suspect[] {
  const found: Suspect[] = [];
  let level: { values: Suspect; next: number; pass: RowSet }[] = [
    { values: [], next: 0, pass: allRows(count) },
  ];
  if (count === 0) found.push([]);
  for (let size = 1; size <= most; size += 1) {
    const longer: typeof level = [];
    for (const { values, next, pass } of level)
      for (let at = next; at < ids.length; at += 1) {
        const id = ids[at] ?? 0;
        const both = common(pass, passingBy[id] ?? pass);
        const all = [...values, id];
        if (isNone(both)) found.push(all);
        if (found.length >= MOST_POSSIBLE) return found;
        longer.push({ values: all, next: at + 1, pass: both });
      }
    level = longer;
  }
  return found;
}

/**
 * The smallest combinations of values that together explain every failure, and contradict no pass. Few values are better than
 * many, then few combinations: two values that fail by themselves explain more simply than three that only fail together.
 */
export function explain(outcomes: Outcomes): Explanation {
  const { passing, failing, start } = outcomes;
  const { smallest, rows, complete } = suspectsIn(outcomes);
  const costs = smallest.map((values) => Math.max(values.length, 1) * 4096 + 1);
  const { chosen, exact } = leastCover(rows, costs);
  const passingBy = rowsByValue(passing, start.at(-1) ?? 0);
  const holders = new Map<number, number>();
  for (const set of chosen) for (const row of rows[set] ?? []) holders.set(row, (holders.get(row) ?? 0) + 1);
  const causes = chosen.map((set): Cause => {
    const values = smallest[set] ?? [];
    const all = rows[set] ?? [];
    const own = all.filter((row) => holders.get(row) === 1);
    const [first = [], ...others] = own.map((row) => failing[row] ?? []);
    const shared = others.reduce<readonly number[]>(
      (kept, row) => kept.filter((id) => row.includes(id)),
      first,
    );
    const possible = unseen(shared, MOST_VALUES, passingBy, passing.length);
    const key = values.join();
    return {
      values,
      rows: all,
      own,
      possible: [values, ...possible.filter((one) => one.join() !== key)],
    };
  });
  return { causes, smallest: complete && exact };
}
