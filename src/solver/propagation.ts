import { FactoryError } from "../errors.ts";
import { grouped } from "../model/count.ts";
import type { Values } from "./model.ts";
import type { Rules } from "./nogoods.ts";

/** The values that are still possible in each column after some decisions, and the way back. */
export interface Propagation {
  /** 1 for a value that is still possible, by id. */
  readonly live: Uint8Array;
  /** A place that `undo` goes back to. */
  mark: () => number;
  undo: (mark: number) => void;
  /** Decides a column. false: some column has no value left; then undo. */
  assign: (column: number, value: number) => boolean;
  /**
   * Decides all columns that rules mention, trying the values of `prefer` first. false: it is impossible; then undo.
   */
  search: (prefer: Values) => boolean;
}

/** How many decisions a search may still take; several searches may share it. */
export interface Budget {
  left: number;
}

/** Decisions of one search, if nobody says how many it may take. */
const MAX_DECISIONS = 2_000_000;

/**
 * Forward checking with a trail: a decision removes what conflicts with it, and a column with one value left is also a
 * decision [Haralick, Elliott: Increasing tree search efficiency for constraint satisfaction problems, 1980]. The search
 * takes the column with the fewest values for its conflicts first (dom/wdeg) [Boussemart, Hemery, Lecoutre, Sais:
 * Boosting systematic search by weighting constraints, 2004]; its weights begin anew each time, so that what it gives
 * depends on nothing but the question.
 * @param budget shared with other searches. Default: one for each search
 * @param rules compiled: no column of theirs has a single value yet, so there is nothing to propagate at first
 */
export function createPropagation(rules: Rules, budget?: Budget): Propagation {
  const steps = budget ?? { left: MAX_DECISIONS };
  const most = steps.left;
  const { start, columnOf, bound, conflictStart, conflicts, long, longStart, longAt } = rules;
  const columns = start.length - 1;
  const ids = start[columns]!;
  const live = rules.alive.slice();
  const left = new Int32Array(columns);
  for (let id = 0; id < ids; id += 1) left[columnOf[id]!]! += live[id]!;
  const decided = new Uint8Array(columns);
  const hits = new Int32Array(long.length);
  const weights = new Int32Array(columns);
  const queue = new Int32Array(columns + 1);
  // An entry is the id of a value that was taken out, `ids` and a column that was decided, or -1 less a long rule.
  let trail = new Int32Array(256);
  let top = 0;
  let waiting = 0;

  const push = (entry: number) => {
    if (top === trail.length) {
      const longer = new Int32Array(2 * top);
      longer.set(trail);
      trail = longer;
    }
    trail[top] = entry;
    top += 1;
  };

  const remove = (id: number): boolean => {
    const column = columnOf[id]!;
    live[id] = 0;
    push(id);
    left[column]! -= 1;
    if (left[column] === 1) {
      queue[waiting] = column;
      waiting += 1;
    }
    if (left[column]! > 0) return true;
    weights[column]! += 1;
    return false;
  };

  const decide = (column: number): boolean => {
    if (decided[column]) return true;
    decided[column] = 1;
    push(ids + column);
    let id = start[column]!;
    while (!live[id]) id += 1;
    for (let at = conflictStart[id]!; at < conflictStart[id + 1]!; at += 1) {
      const other = conflicts[at]!;
      if (live[other] && !remove(other)) return false;
    }
    for (let at = longStart[id]!; at < longStart[id + 1]!; at += 1) {
      const rule = longAt[at]!;
      hits[rule]! += 1;
      push(-1 - rule);
      const { columns: members, mask } = long[rule]!;
      if (hits[rule] !== members.length - 1) continue;
      for (const member of members) {
        const from = start[member]!;
        const to = start[member + 1]!;
        if (decided[member]) {
          let own = from;
          while (!live[own]) own += 1;
          if (mask[own]) continue;
          break;
        }
        for (let one = from; one < to; one += 1) if (live[one] && mask[one] && !remove(one)) return false;
        break;
      }
    }
    return true;
  };

  const settle = (): boolean => {
    while (waiting > 0) {
      waiting -= 1;
      if (decide(queue[waiting]!)) continue;
      waiting = 0;
      return false;
    }
    return true;
  };

  const assign = (column: number, value: number): boolean => {
    const chosen = start[column]! + value;
    if (value < 0 || chosen >= start[column + 1]! || !live[chosen]) return false;
    for (let id = start[column]!; id < start[column + 1]!; id += 1) if (live[id] && id !== chosen) remove(id);
    if (left[column] === 1 && !decided[column] && waiting === 0) {
      queue[0] = column;
      waiting = 1;
    }
    return settle();
  };

  const undo = (mark: number) => {
    while (top > mark) {
      top -= 1;
      const entry = trail[top]!;
      if (entry < 0) hits[-1 - entry]! -= 1;
      else if (entry >= ids) decided[entry - ids] = 0;
      else {
        live[entry] = 1;
        left[columnOf[entry]!]! += 1;
      }
    }
  };

  const choose = (): number => {
    let best = -1;
    for (let column = 0; column < columns; column += 1) {
      if (!bound[column] || decided[column]) continue;
      if (best < 0 || left[column]! * (weights[best]! + 1) < left[best]! * (weights[column]! + 1))
        best = column;
    }
    return best;
  };

  const descend = (prefer: Values): boolean => {
    const column = choose();
    if (column < 0) return true;
    const first = start[column]!;
    const size = start[column + 1]! - first;
    const wanted = prefer[column] ?? -1;
    for (let step = -1; step < size; step += 1) {
      const value = step < 0 ? wanted : step;
      if (value < 0 || value >= size || !live[first + value]) continue;
      const mark = top;
      steps.left -= 1;
      if (steps.left < 0)
        throw new FactoryError(
          "SEARCH_TOO_LONG",
          `whether the rules allow a combination was not known after ${grouped(most)} tries`,
          { fix: "narrow ranges or axes, or remove rules: so many that depend on each other take too long" },
        );
      if (assign(column, value) && descend(prefer)) return true;
      undo(mark);
      if (!remove(first + value) || !settle()) {
        waiting = 0;
        return false;
      }
      if (decided[column]) return descend(prefer);
    }
    return false;
  };

  return {
    live,
    mark: () => top,
    undo,
    assign,
    search: (prefer) => {
      if (rules.contradiction) return false;
      weights.fill(0);
      if (!budget) steps.left = MAX_DECISIONS;
      return descend(prefer);
    },
  };
}
