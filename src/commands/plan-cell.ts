import { FactoryError } from "../errors.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import type { Context } from "./context.ts";
import { planOf, type PlanningOptions } from "./planning.ts";

/**
 * A cell of any plan over its manifest, or of the manifest by itself, as the records decide about it.
 * @returns those that it starts from, then the cell
 */
export async function planCell(context: Context, id: string, locked: boolean): Promise<PlannedCell[]> {
  const [manifestId = ""] = id.split(".", 1);
  const catalog = await context.catalog();
  const isPlanned = catalog.planIds().some((one) => catalog.plan(one).document.manifest_id === manifestId);
  const plan = (named: PlanningOptions): Promise<Planned> =>
    planOf(context, { ...named, cell: [id], reuse: true, locked });
  const alone = () => plan({ manifestId });
  const { cells } = !isPlanned
    ? await alone()
    : await plan({ all: true, filter: [`manifest=${manifestId}`] }).catch(async (error: unknown) => {
        if (!(error instanceof FactoryError) || error.code !== "UNKNOWN_CELL") throw error;
        return alone().catch((second: unknown) => {
          throw second instanceof FactoryError && second.code === "UNKNOWN_CELL" ? error : second;
        });
      });
  const isOwn = ({ cell }: PlannedCell) => cell.cell_id === id;
  return [...cells.filter((one) => !isOwn(one)), ...cells.filter(isOwn)];
}
