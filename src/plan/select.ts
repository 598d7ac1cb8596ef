import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError } from "../errors.ts";
import type { Planned } from "./cell.ts";
import { above } from "./topology.ts";

/** Chooses cells of a plan by id, with those that they start from. @throws FactoryError UNKNOWN_CELL with a "did you mean" */
export function selectCells(planned: Planned, ids: readonly string[]): Planned {
  if (ids.length === 0) return planned;
  const byId = new Map(planned.cells.map((one) => [one.cell.cell_id, one]));
  const cells = [...new Set(ids)].map((id) => {
    const found = byId.get(id);
    if (found) return found;
    const guess = didYouMean(id, byId.keys());
    throw new FactoryError(
      "UNKNOWN_CELL",
      `there is no cell ${JSON.stringify(id)} in ${planned.plan_id ?? planned.manifest_id ?? "the workspace's plans"}`,
      {
        fix: guess ? `did you mean ${guess}?` : "see `factory plan`",
      },
    );
  });
  return { ...planned, cells: [...above(cells, planned.cells), ...cells] };
}
