import type { Outcomes } from "./outcomes.ts";
import {
  allRows,
  areDisjoint,
  common,
  isNone,
  type RowSet,
  rowsByValue,
  rowsIn,
  rowsWith,
} from "./row-sets.ts";

/** Values that never occurred together in what passed, and did in what failed: ids, ascending. */
export type Suspect = readonly number[];

export interface Suspects {
  /** Those of which no part is one, smallest first. */
  smallest: Suspect[];
  /** The failing rows that each is in, ascending. */
  rows: number[][];
  /** Whether all of up to `MOST_VALUES` values were found; there may be too many to look at. */
  complete: boolean;
}

/** How many values a suspect is looked for with. A row that none explains gets one with as many as it takes. */
export const MOST_VALUES = 3;

/** How many words of bits may be compared: about two seconds. */
const MOST_WORDS = 2_000_000_000;

/** A part of a failing row, as small as leaving out one value after the other makes it, that no passing row has. */
function shrunk(row: readonly number[], passing: readonly RowSet[], count: number): number[] {
  let left = [...row];
  for (const id of row) {
    const without = left.filter((one) => one !== id);
    if (isNone(rowsWith(passing, without, count))) left = without;
  }
  return left;
}

/**
 * The smallest combinations of values that each explain some failure and contradict no pass: minimal failure-causing
 * schemas [Nie, Leung: The minimal failure-causing schema of combinatorial testing, 2011]. They are looked for size by size,
 * and no combination that holds a smaller one is looked at.
 */
export function suspectsIn(outcomes: Outcomes): Suspects {
  const { start, passing, failing } = outcomes;
  const ids = start.at(-1) ?? 0;
  if (failing.length === 0) return { smallest: [], rows: [], complete: true };
  if (passing.length === 0) return { smallest: [[]], rows: [failing.map((_, at) => at)], complete: true };
  const [passingBy, failingBy] = [rowsByValue(passing, ids), rowsByValue(failing, ids)];
  const present = failingBy.flatMap((set, id) => (isNone(set) ? [] : [id]));
  const smallest: Suspect[] = [];
  const rows: number[][] = [];
  const covered = new Uint8Array(failing.length);
  const add = (suspect: Suspect, inFailing: RowSet) => {
    const own = rowsIn(inFailing);
    smallest.push(suspect);
    rows.push(own);
    for (const row of own) covered[row] = 1;
  };

  const single = new Uint8Array(ids);
  for (const id of present) {
    if (!isNone(passingBy[id] ?? allRows(passing.length))) continue;
    single[id] = 1;
    add([id], failingBy[id] ?? allRows(0));
  }
  const rest = present.filter((id) => !single[id]);
  const pairs = new Set<number>();
  let words = 0;
  const width = Math.ceil(passing.length / 32) + Math.ceil(failing.length / 32);
  const nextOf = (id: number) => start[(outcomes.factorOf[id] ?? 0) + 1] ?? ids;
  /** What may still be added behind a value: the values of later factors. */
  const behind = (id: number) => rest.filter((one) => one >= nextOf(id));
  const open: { pair: [number, number]; pass: RowSet; fail: RowSet }[] = [];
  let complete = true;
  const isSpent = () => {
    words += width;
    if (words > MOST_WORDS) complete = false;
    return !complete;
  };
  const keepsSets = rest.length * rest.length * width < 50_000_000;
  for (const a of rest) {
    if (!complete) break;
    for (const b of behind(a)) {
      if (isSpent()) break;
      const [passA, passB] = [passingBy[a], passingBy[b]];
      const [failA, failB] = [failingBy[a], failingBy[b]];
      if (!passA || !passB || !failA || !failB || areDisjoint(failA, failB)) continue;
      if (areDisjoint(passA, passB)) {
        pairs.add(a * ids + b);
        add([a, b], common(failA, failB));
      } else if (keepsSets)
        open.push({ pair: [a, b], pass: common(passA, passB), fail: common(failA, failB) });
    }
  }
  if (!keepsSets) complete = false;
  for (const { pair, pass, fail } of open) {
    const [a, b] = pair;
    if (!complete) break;
    for (const c of behind(b)) {
      if (pairs.has(a * ids + c) || pairs.has(b * ids + c)) continue;
      if (isSpent()) break;
      const [passC, failC] = [passingBy[c], failingBy[c]];
      if (!passC || !failC || areDisjoint(fail, failC) || !areDisjoint(pass, passC)) continue;
      add([a, b, c], common(fail, failC));
    }
  }
  const seen = new Set<string>();
  for (const [at, row] of failing.entries()) {
    if (covered[at]) continue;
    const suspect = shrunk(row, passingBy, passing.length);
    if (seen.has(suspect.join())) continue;
    seen.add(suspect.join());
    add(suspect, rowsWith(failingBy, suspect, failing.length));
  }
  return { smallest, rows, complete };
}
