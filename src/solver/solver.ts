import type { Model, Row, Values } from "./model.ts";
import { type Budget, createPropagation } from "./propagation.ts";
import { compileRules, permitsAll } from "./nogoods.ts";

/** Answers what a model allows. Rows have as many entries as the model has columns. */
export interface Solver {
  /** Whether the row's values break no rule, whatever its open places get. */
  allows: (row: Row) => boolean;
  /**
   * A whole allowed row that has what stands in `partial`, or null where there is none. Where there is a choice it takes
   * the value of `prefer`, else the first.
   */
  complete: (partial: Values, prefer?: Values) => number[] | null;
  /** Whether a whole allowed row contains `partial`. */
  feasible: (partial: Values) => boolean;
}

/**
 * Searches by propagation and backtracking. Nothing is enumerated beforehand, and nothing is remembered between calls.
 * Its answers throw FactoryError SEARCH_TOO_LONG where they would take too long.
 * @param budget shared by all its answers. Default: one for each
 */
export function createSolver(model: Model, budget?: Budget): Solver {
  const { sizes } = model;
  const rules = compileRules(model);
  const state = createPropagation(rules, budget);
  const decide = (partial: Values, prefer: Values): boolean => {
    if (rules.contradiction) return false;
    for (let column = 0; column < sizes.length; column += 1) {
      const value = partial[column] ?? -1;
      if (value !== -1 && !state.assign(column, value)) return false;
    }
    return state.search(prefer);
  };
  return {
    allows: (row) => !rules.contradiction && row.length === sizes.length && permitsAll(rules, row),
    complete: (partial, prefer = []) => {
      const mark = state.mark();
      const found = decide(partial, prefer)
        ? sizes.map((size, column) => {
            const first = rules.start[column]!;
            const wanted = prefer[column] ?? -1;
            if (wanted >= 0 && wanted < size && state.live[first + wanted]) return wanted;
            return state.live.indexOf(1, first) - first;
          })
        : null;
      state.undo(mark);
      return found;
    },
    feasible: (partial) => {
      const mark = state.mark();
      const found = decide(partial, []);
      state.undo(mark);
      return found;
    },
  };
}

/**
 * All allowed rows, in lexicographic order. A beginning that no row has is abandoned at once: either the row found last
 * has it, or a search looks for one that does.
 */
export function* enumerate(model: Model): Generator<number[], void, undefined> {
  const { sizes } = model;
  const rules = compileRules(model);
  const state = createPropagation(rules);
  const solver = createSolver(model);
  const columns = sizes.length;
  let witness = rules.contradiction ? null : solver.complete(sizes.map(() => -1));
  if (!witness) return;
  if (columns === 0) {
    yield [];
    return;
  }
  const bound = [...rules.bound.keys()].filter((column) => rules.bound[column]);
  // If only one column that rules mention is left, all its live values are allowed.
  const last = bound.at(-2) ?? -1;
  const row = sizes.map(() => -1);
  const marks = sizes.map(() => 0);
  let column = 0;
  marks[0] = state.mark();
  while (column >= 0) {
    state.undo(marks[column]!);
    const value = row[column]! + 1;
    if (value >= sizes[column]!) {
      row[column] = -1;
      column -= 1;
      continue;
    }
    row[column] = value;
    if (!state.live[rules.start[column]! + value]) continue;
    if (rules.bound[column]) {
      if (!state.assign(column, value)) continue;
      if (column < last && bound.some((one) => one <= column && witness?.[one] !== row[one])) {
        const next = solver.complete(row);
        if (!next) continue;
        witness = next;
      }
    }
    if (column === columns - 1) yield [...row];
    else {
      column += 1;
      marks[column] = state.mark();
    }
  }
}
