import { alone, change, costOf, type Counts, countRows, removeRow } from "./counts.ts";
import type { Values } from "../../solver/model.ts";
import { permits, type Rules } from "../../solver/nogoods.ts";
import type { Places } from "./tuples.ts";
import type { Draw } from "./draw.ts";

/** A row, with 1 for each value that may not change. A row that has such values stays. */
export interface Held {
  row: Int32Array;
  lock: Uint8Array | null;
}

/** An array to be reduced. */
export interface Reduction {
  places: Places;
  rules: Rules;
  draw: Draw;
  /** 1 for a combination that has to stay covered, by place. */
  required: Uint8Array;
  rows: readonly Held[];
  /** A whole allowed row that contains the first argument and is otherwise near to the second; null: there is none. */
  complete: (partial: Int32Array, prefer: Int32Array) => Values | null;
  /** How many combinations may be looked at. */
  effort: number;
}

/** What a step and a search for a row cost, beside the combinations that are looked at. */
const STEP_EFFORT = 20;
const FAR_EFFORT = 300;

/** A lower bound for the number of rows: the most combinations that one set of columns has. */
function lowerBound({ places: { sets, offset }, required }: Reduction): number {
  let most = 0;
  for (let set = 0; set < sets; set += 1) {
    let count = 0;
    for (let place = offset[set]!; place < offset[set + 1]!; place += 1) count += required[place]!;
    if (count > most) most = count;
  }
  return most;
}

function setOf({ offset, sets }: Places, place: number): number {
  let low = 0;
  let high = sets - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offset[middle]! <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Removes rows that alone cover nothing, starting from the last. */
function dropIdle(state: Counts, rows: Held[]): Held[] {
  return rows
    .reverse()
    .filter(({ row, lock }) => {
      if (lock || alone(state, row, 1) > 0) return true;
      removeRow(state, row);
      return false;
    })
    .reverse();
}

/**
 * Removes rows that alone cover nothing; then repeatedly removes a row and repairs the coverage by tabu search: a missing
 * combination is drawn, and of the rows that differ from it in one place only, the cheapest one is changed; a place that
 * was changed rests for a while [Nurmela: Upper bounds for covering arrays by tabu
 * search, 2004]. If no row is that near, one is rebuilt around the combination. The effort is a number of steps,
 * never a time.
 * @returns as many rows or fewer
 */
export function reduce(task: Reduction): Int32Array[] {
  const { places, rules, draw, required, complete } = task;
  const { t, sets, sizes, member, stride, offset, degree } = places;
  const columns = sizes.length;
  let rows: Held[] = task.rows.map(({ row, lock }) => ({ row: row.slice(), lock }));
  const state = countRows(
    places,
    required,
    rows.map(({ row }) => row),
  );
  rows = dropIdle(state, rows);
  let best = rows.map(({ row }) => row.slice());
  let effort = task.effort;
  const least = lowerBound(task);
  const tabu = new Float64Array(rows.length * columns);
  const wanted = new Int32Array(t);
  let step = 0;

  /** Changes one value so that a row has the combination. false: no row is that near, or all near ones are resting. */
  const mendNear = (set: number, record: number): boolean => {
    let chosen = -1;
    let chosenColumn = -1;
    let lowest = Infinity;
    let equals = 0;
    let value = -1;
    for (let at = 0; at < rows.length; at += 1) {
      const { row, lock } = rows[at]!;
      let apart = 0;
      let part = 0;
      for (let one = 0; one < t && apart < 2; one += 1) {
        if (row[member[set * t + one]!] === wanted[one]) continue;
        apart += 1;
        part = one;
      }
      const column = member[set * t + part]!;
      if (apart !== 1 || lock?.[column]) continue;
      const id = rules.start[column]! + wanted[part]!;
      effort -= rules.longStart[id + 1]! - rules.longStart[id]!;
      if (!permits(rules, row, column, wanted[part]!)) continue;
      const more = costOf(state, row, column, wanted[part]!);
      effort -= degree;
      if (more > lowest || (tabu[at * columns + column]! > step && state.lacking + more >= record)) continue;
      equals = more < lowest ? 1 : equals + 1;
      lowest = more;
      if (draw(equals) === 0) [chosen, chosenColumn, value] = [at, column, wanted[part]!];
    }
    effort -= rows.length;
    if (chosen < 0) return false;
    change(state, rows[chosen]!.row, chosenColumn, value);
    effort -= 2 * degree;
    tabu[chosen * columns + chosenColumn] = step + 1 + draw(10);
    return true;
  };

  /** Rebuilds a drawn row around the combination, if its locked values allow that. */
  const mendFar = (set: number) => {
    const { row, lock } = rows[draw(rows.length)]!;
    const partial = row.map((value, column) => (lock?.[column] ? value : -1));
    effort -= FAR_EFFORT + sets;
    for (let one = 0; one < t; one += 1) {
      const column = member[set * t + one]!;
      if (partial[column] !== -1 && partial[column] !== wanted[one]) return;
      partial[column] = wanted[one]!;
    }
    const next = complete(partial, row);
    for (let column = 0; next && column < columns; column += 1)
      if (row[column] !== next[column]) change(state, row, column, next[column]!);
  };

  while (rows.length > least && effort > 0) {
    let weakest = -1;
    let fewest = Infinity;
    for (const [at, { row, lock }] of rows.entries()) {
      if (lock) continue;
      const count = alone(state, row, fewest);
      if (count < fewest) [weakest, fewest] = [at, count];
    }
    effort -= rows.length * sets;
    if (weakest < 0) break;
    const gone = rows[weakest]!.row;
    removeRow(state, gone);
    rows.splice(weakest, 1);
    tabu.fill(0);
    let record = state.lacking;
    while (state.lacking > 0 && effort > 0 && rows.length > 0) {
      step += 1;
      effort -= STEP_EFFORT;
      const place = state.missing[draw(state.lacking)]!;
      const set = setOf(places, place);
      for (let one = 0, rest = place - offset[set]!; one < t; one += 1) {
        wanted[one] = Math.floor(rest / stride[set * t + one]!);
        rest %= stride[set * t + one]!;
      }
      if (!mendNear(set, record)) mendFar(set);
      if (state.lacking < record) record = state.lacking;
    }
    if (state.lacking > 0) break;
    best = rows.map(({ row }) => row.slice());
  }
  return best;
}
