import { above, byId, topological } from "../plan/topology.ts";
import type { PlannedCell } from "../plan/cell.ts";

/** The cells of a run by what they wait for. */
export interface Lineage {
  /** Cells that are run, or have to wait for one that is: what they start from may become another image. */
  active: PlannedCell[];
  /** Proven cells that cells of `active` start from, however far above them. */
  lenders: PlannedCell[];
  /** Proven cells that nothing of this touches. */
  settled: PlannedCell[];
}

/** Divides cells by what is done about them and about those that they start from. */
export function lineageOf(cells: readonly PlannedCell[]): Lineage {
  const ids = new Set<string>();
  for (const { cell } of topological(cells))
    if (cell.action !== "reuse" || (cell.parent !== undefined && ids.has(cell.parent))) ids.add(cell.cell_id);
  const active = cells.filter(({ cell }) => ids.has(cell.cell_id));
  const lenders = above(active, cells);
  const lent = new Set(lenders);
  return {
    active,
    lenders,
    settled: cells.filter((one) => !ids.has(one.cell.cell_id) && !lent.has(one)),
  };
}

/** The cells that others of a list start from. */
export function parentsIn(cells: readonly PlannedCell[]): Set<string> {
  const known = byId(cells);
  return new Set(
    cells.flatMap(({ cell }) => (cell.parent !== undefined && known.has(cell.parent) ? cell.parent : [])),
  );
}
