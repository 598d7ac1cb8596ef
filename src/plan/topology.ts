import type { PlannedCell } from "./cell.ts";

/** Cells by id. */
export function byId(cells: readonly PlannedCell[]): Map<string, PlannedCell> {
  return new Map(cells.map((planned) => [planned.cell.cell_id, planned]));
}

/** How many cells of a list are above each of its cells, each once; it does not recurse, so a chain may be of any length. */
function depthsOf(cells: readonly PlannedCell[]): Map<PlannedCell, number> {
  const known = byId(cells);
  const depths = new Map<PlannedCell, number>();
  for (const start of cells) {
    const path: PlannedCell[] = [];
    let at: PlannedCell | undefined = start;
    for (; at && !depths.has(at); at = known.get(at.cell.parent ?? "")) path.push(at);
    let depth = at ? (depths.get(at) ?? 0) + 1 : 0;
    for (const one of path.reverse()) {
      depths.set(one, depth);
      depth += 1;
    }
  }
  return depths;
}

/**
 * Cells in levels: first those that start from no other cell of the list, then those that start from these, and so on.
 * Within a level they keep their order.
 */
export function levelsOf(cells: readonly PlannedCell[]): PlannedCell[][] {
  const levels: PlannedCell[][] = [];
  for (const [planned, depth] of depthsOf(cells)) (levels[depth] ??= []).push(planned);
  const order = new Map(cells.map((planned, at) => [planned, at]));
  for (const level of levels) level.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return levels;
}

/** Cells in an order in which each comes after the one that it starts from. */
export function topological(cells: readonly PlannedCell[]): PlannedCell[] {
  return levelsOf(cells).flat();
}

/** The cells of a list that some cells start from, however far above them; none of the cells themselves. */
export function above(some: readonly PlannedCell[], cells: readonly PlannedCell[]): PlannedCell[] {
  const known = byId(cells);
  const own = new Set(some.map(({ cell }) => cell.cell_id));
  const found = new Set<PlannedCell>();
  for (const start of some) {
    let at = known.get(start.cell.parent ?? "");
    for (; at && !found.has(at); at = known.get(at.cell.parent ?? ""))
      if (!own.has(at.cell.cell_id)) found.add(at);
  }
  return cells.filter((planned) => found.has(planned));
}

/** Cells with those that start from them behind them, each tree where its first one was. */
export function byFamily(cells: readonly PlannedCell[]): PlannedCell[] {
  if (cells.every(({ cell }) => cell.parent === undefined)) return [...cells];
  const roots = new Map<string, string>();
  const families = new Map<string, PlannedCell[]>();
  for (const { cell } of cells) families.set(cell.cell_id, []);
  for (const planned of topological(cells)) {
    const { cell_id, parent } = planned.cell;
    const root = roots.get(parent ?? "") ?? cell_id;
    roots.set(cell_id, root);
    families.get(root)?.push(planned);
  }
  return [...families.values()].flat();
}
