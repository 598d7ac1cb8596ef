import { compareText } from "../../model/compare.ts";
import type { PlannedCell } from "../cell.ts";
import { byId, topological } from "../topology.ts";

/** Cells that one shard has to run, each after the one that it starts from. */
export interface Group {
  /** The cell whose machine can run all of them: the one that needs most GPUs. */
  chief: PlannedCell;
  cells: PlannedCell[];
}

function demandOf({ keys: { gpus } }: PlannedCell): number {
  return gpus === "all" ? Infinity : (gpus ?? 0);
}

/** The cell that needs the most of its machine; the first of several. Gives undefined for no cells. */
export function chiefOf(cells: readonly PlannedCell[]): PlannedCell | undefined {
  let chief = cells[0];
  for (const one of cells) if (chief && demandOf(one) > demandOf(chief)) chief = one;
  return chief;
}

/**
 * Divides cells into groups: a cell is in that of the one it starts from, unless the image of that can be had anywhere. A
 * cell without a parent begins a group.
 * @param isProven whether the image of a cell is proven and pushed
 */
export function groupsOf(
  cells: readonly PlannedCell[],
  isProven: (planned: PlannedCell) => boolean = () => false,
): Group[] {
  const known = byId(cells);
  if (!cells.some(({ cell }) => known.has(cell.parent ?? "")))
    return cells.map((planned) => ({ chief: planned, cells: [planned] }));
  /** Cells that neither have to be run nor start from one that has. */
  const free = new Set<string>();
  const groups = new Map<string, PlannedCell[]>();
  // By id, so that the given order does not matter.
  const sorted = [...cells].sort((a, b) => compareText(a.cell.cell_id, b.cell.cell_id));
  for (const planned of topological(sorted)) {
    const { cell_id, parent = "" } = planned.cell;
    if (isProven(planned) && (!known.has(parent) || free.has(parent))) free.add(cell_id);
    const group = free.has(parent) ? [] : (groups.get(parent) ?? []);
    group.push(planned);
    groups.set(cell_id, group);
  }
  return [...new Set(groups.values())].map((group) => {
    const chief = chiefOf(group);
    if (!chief) throw new Error("a group has no cells");
    return { chief, cells: group };
  });
}
