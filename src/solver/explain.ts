import type { Model } from "./model.ts";
import type { Budget } from "./propagation.ts";
import { createSolver } from "./solver.ts";

/**
 * Why no row is allowed; undefined if some row is. Otherwise the ascending indexes of a smallest set of rules that leaves
 * no row: without any one of them a row is left. Empty if a column has no values.
 *
 * Rules are left out half by half, so that two among thousands are found in few questions
 * [Junker: QuickXplain: preferred explanations and relaxations for over-constrained problems, 2004].
 */
export function explainEmpty(model: Model, budget?: Budget): number[] | undefined {
  const { sizes, forbidden } = model;
  const open = sizes.map(() => -1);
  const possible = (rules: readonly number[]) =>
    createSolver({ sizes, forbidden: rules.flatMap((at) => forbidden[at] ?? []) }, budget).feasible(open);
  const all = forbidden.map((_, at) => at);
  if (possible(all)) return undefined;
  if (!possible([])) return [];
  const reduce = (kept: readonly number[], added: boolean, rules: readonly number[]): number[] => {
    if (added && !possible(kept)) return [];
    if (rules.length === 1) return [...rules];
    const middle = rules.length >> 1;
    const [first, second] = [rules.slice(0, middle), rules.slice(middle)];
    const ofSecond = reduce([...kept, ...first], true, second);
    const ofFirst = reduce([...kept, ...ofSecond], ofSecond.length > 0, first);
    return [...ofFirst, ...ofSecond];
  };
  return reduce([], false, all).sort((a, b) => a - b);
}
