import type { Model, Row } from "../../solver/model.ts";
import { createSolver } from "../../solver/solver.ts";

/** A combination of values: `values[i]` in `columns[i]`. */
export interface Tuple {
  columns: number[];
  values: number[];
}

/** What a set of rows covers of the combinations of `t` columns' values. */
export interface CoverageCount {
  t: number;
  /** Combinations that some allowed row has. */
  allowed: number;
  /** Combinations that no allowed row has. */
  forbidden: number;
  /** Allowed combinations that the rows have. */
  covered: number;
  /** The first allowed combinations that they do not have: at most ten. */
  missing: Tuple[];
}

const MAX_SHOWN = 10;

/** Goes on to the next choice of `t` of `columns` in lexicographic order. false: that was the last one. */
function nextChoice(chosen: number[], columns: number): boolean {
  let at = chosen.length - 1;
  while (at >= 0 && chosen[at] === columns - chosen.length + at) at -= 1;
  if (at < 0) return false;
  chosen[at]! += 1;
  for (let after = at + 1; after < chosen.length; after += 1) chosen[after] = chosen[after - 1]! + 1;
  return true;
}

/**
 * Counts the coverage of rows from scratch, for each choice of columns. It shares nothing with `cover` except the solver,
 * so that a mistake in one cannot hide in the other. A row that is not whole, or that the model forbids, covers nothing.
 * @param t 1 to the number of columns
 */
export function verifyCoverage(model: Model, t: number, rows: readonly Row[]): CoverageCount {
  const { sizes } = model;
  const solver = createSolver(model);
  const sound = rows.filter((row) => row.length === sizes.length && !row.includes(-1) && solver.allows(row));
  const count: CoverageCount = { t, allowed: 0, forbidden: 0, covered: 0, missing: [] };
  if (t < 1 || t > sizes.length) return count;
  const partial = sizes.map(() => -1);
  const chosen = Array.from({ length: t }, (_, at) => at);
  do {
    const product = chosen.reduce((total, column) => total * sizes[column]!, 1);
    const seen = new Uint8Array(product);
    for (const row of sound) {
      let code = 0;
      for (const column of chosen) code = code * sizes[column]! + row[column]!;
      seen[code] = 1;
    }
    for (let code = 0; code < product; code += 1) {
      if (seen[code]) {
        count.allowed += 1;
        count.covered += 1;
        continue;
      }
      for (let at = t - 1, rest = code; at >= 0; at -= 1) {
        const column = chosen[at]!;
        partial[column] = rest % sizes[column]!;
        rest = Math.floor(rest / sizes[column]!);
      }
      if (solver.feasible(partial)) {
        count.allowed += 1;
        if (count.missing.length < MAX_SHOWN)
          count.missing.push({ columns: [...chosen], values: chosen.map((column) => partial[column]!) });
      } else count.forbidden += 1;
      for (const column of chosen) partial[column] = -1;
    }
  } while (nextChoice(chosen, sizes.length));
  return count;
}
