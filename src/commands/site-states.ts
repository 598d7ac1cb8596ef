import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { valueText } from "../model/value.ts";
import { visible } from "../model/visible.ts";
import type { PlannedState, StatesOf } from "../site/site-model.ts";
import type { Context } from "./context.ts";
import { statesFor } from "./matrix-cells.ts";

/** The states of a manifest's cells as the workspace is today, with their values on the axes of a matrix. */
async function statesWithValues(context: Context, id: string, locked: boolean): Promise<PlannedState[]> {
  const { own } = await statesFor(context, id, locked);
  return own.map(({ planned: { cell }, cell: state }) => ({
    ...state,
    values: {
      ...cell.fragments,
      platform: cell.platform,
      base: cell.base.ref,
      ...Object.fromEntries(
        Object.entries(cell.args).map(([name, value]) => [`args.${name}`, valueText(value)]),
      ),
      ...cell.named,
    },
  }));
}

/**
 * The states of all cells that plans have today. Where they cannot be said, as without a builder that knows the bases, that is told once,
 * and the states are those of the newest verdicts.
 */
export async function plannedStates(
  context: Context,
  catalog: OpenCatalog,
  { locked, told }: { locked: boolean; told: Set<string> },
): Promise<StatesOf> {
  const states = new Map<string, PlannedState[]>();
  for (const id of catalog.imageIds()) {
    try {
      states.set(id, await statesWithValues(context, id, locked));
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
      const why = `${visible(error.message)}: states are those of the newest verdicts`;
      if (!told.has(why)) context.say(`note: ${why}`);
      told.add(why);
    }
  }
  return (id) => states.get(id) ?? null;
}
