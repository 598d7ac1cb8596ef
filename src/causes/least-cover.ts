/** How many steps the exact search may take. */
const MOST_STEPS = 20_000;
/** How many sets are compared with each other; with more of them only what has to be chosen is. */
const MOST_COMPARED = 20_000;

/** What is left to be covered, and with what. */
interface Rest {
  rows: ReadonlySet<number>;
  sets: readonly number[];
}

/** The first of some lists that no other is shorter than. @param listOf makes each, one at a time */
function shortest(of: Iterable<number>, listOf: (one: number) => number[]): number[] | undefined {
  let least: number[] | undefined;
  for (const one of of) {
    const own = listOf(one);
    if (!least || own.length < least.length) least = own;
  }
  return least;
}

/**
 * Chooses sets that together have every row that any of them has, at the least cost; of equal ones the first.
 * What has to be chosen is chosen, what another set or row makes needless is left out, and the rest is searched by branch
 * and bound [after Coudert: On solving covering problems, 1996].
 * @param sets rows of each, ascending
 * @param costs of each, above 0
 * @returns indexes, ascending; `exact` says whether no cheaper choice is possible
 */
export function leastCover(
  sets: readonly (readonly number[])[],
  costs: readonly number[],
): { chosen: number[]; exact: boolean } {
  const costOf = (set: number) => costs[set] ?? 0;
  const rowsOf = (set: number) => sets[set] ?? [];
  const having = new Map<number, number[]>();
  for (const [set, rows] of sets.entries())
    for (const row of rows) {
      const known = having.get(row);
      if (known) known.push(set);
      else having.set(row, [set]);
    }
  const chosen: number[] = [];
  const left = new Set(having.keys());
  const alive = new Set(sets.keys());
  const liveRows = (set: number) => rowsOf(set).filter((row) => left.has(row));
  const liveSets = (row: number) => (having.get(row) ?? []).filter((set) => alive.has(set));
  const take = (set: number) => {
    chosen.push(set);
    alive.delete(set);
    for (const row of rowsOf(set)) left.delete(row);
  };

  const takeEssential = (): boolean => {
    let changed = false;
    for (const row of left) {
      const [only, ...more] = liveSets(row);
      if (only === undefined || more.length > 0) continue;
      take(only);
      changed = true;
    }
    return changed;
  };
  /** Leaves out sets whose rows another one has that costs no more. */
  const dropDominated = (): boolean => {
    const live = new Map([...alive].map((set) => [set, new Set(liveRows(set))]));
    let changed = false;
    for (const [set, rows] of live) {
      const rarest = shortest(rows, liveSets);
      const isNeedless =
        rows.size === 0 ||
        rarest?.some((other) => {
          const others = live.get(other);
          if (other === set || !others || others.size < rows.size) return false;
          const isBetter =
            costOf(other) < costOf(set) ||
            (costOf(other) === costOf(set) && (others.size > rows.size || other < set));
          return isBetter && [...rows].every((row) => others.has(row));
        });
      if (!isNeedless) continue;
      alive.delete(set);
      changed = true;
    }
    return changed;
  };
  /** Leaves out rows that are covered whenever another one is. */
  const dropImplied = (): boolean => {
    const live = new Map([...left].map((row) => [row, new Set(liveSets(row))]));
    let changed = false;
    for (const [row, own] of live) {
      const rarest = shortest(own, liveRows);
      const isImplied = rarest?.some((other) => {
        const others = live.get(other);
        if (other === row || !others || !left.has(other) || others.size > own.size) return false;
        return (others.size < own.size || other < row) && [...others].every((set) => own.has(set));
      });
      if (!isImplied) continue;
      left.delete(row);
      changed = true;
    }
    return changed;
  };
  for (;;) {
    const changed = takeEssential();
    const small = alive.size <= MOST_COMPARED;
    if (!small && !changed) break;
    if (!changed && !dropDominated() && !dropImplied()) break;
  }

  // The greedy choice is the bound that the search has to beat.
  const greedy = (rest: Rest): number[] => {
    const open = new Set(rest.rows);
    const made: number[] = [];
    while (open.size > 0) {
      let best: number | undefined;
      let share = 0;
      for (const set of rest.sets) {
        const own = rowsOf(set).filter((row) => open.has(row)).length / costOf(set);
        if (own > share) [best, share] = [set, own];
      }
      if (best === undefined) break;
      made.push(best);
      for (const row of rowsOf(best)) open.delete(row);
    }
    // What was chosen early may be needless by now.
    return made.reduce((kept, set) => {
      const others = new Set(kept.flatMap((one) => (one === set ? [] : rowsOf(one))));
      const isNeeded = rowsOf(set).some((row) => rest.rows.has(row) && !others.has(row));
      return isNeeded ? kept : kept.filter((one) => one !== set);
    }, made);
  };
  const rest: Rest = { rows: left, sets: [...alive] };
  const sum = (some: readonly number[]) => some.reduce((all, set) => all + costOf(set), 0);
  let best = greedy(rest);
  let least = sum(best);
  let steps = 0;
  const search = (rows: ReadonlySet<number>, made: readonly number[], cost: number): void => {
    steps += 1;
    if (steps > MOST_STEPS) return;
    if (rows.size === 0) {
      if (cost < least) [best, least] = [[...made], cost];
      return;
    }
    // Rows that share no set have to be paid for each by itself.
    let bound = cost;
    const used = new Set<number>();
    let branch: number[] | undefined;
    for (const row of rows) {
      const own = liveSets(row);
      if (!branch || own.length < branch.length) branch = own;
      if (own.some((set) => used.has(set))) continue;
      bound += Math.min(...own.map(costOf));
      for (const set of own) used.add(set);
    }
    if (bound >= least) return;
    const tried = (branch ?? []).sort((a, b) => costOf(a) - costOf(b) || a - b);
    for (const set of tried) {
      const own = new Set(rowsOf(set));
      search(new Set([...rows].filter((row) => !own.has(row))), [...made, set], cost + costOf(set));
    }
  };
  if (left.size > 0) search(left, [], 0);
  return {
    chosen: [...chosen, ...best].sort((a, b) => a - b),
    exact: steps <= MOST_STEPS && alive.size <= MOST_COMPARED,
  };
}
