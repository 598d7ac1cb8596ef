import type { CauseValues } from "../causes/boxes.ts";
import type { Made } from "../causes/remade.ts";
import { valuesIn } from "../causes/verdicts.ts";
import type { PlannedCell } from "../plan/cell.ts";

/** What a planned cell is made of. */
export function madeOf({ cell }: PlannedCell): Made {
  const { fragments, platform, base, args } = cell;
  return { fragments, platform, base: base.ref, args };
}

/** What a planned cell has, by the names that rules use. */
export function valuesOfCell(planned: PlannedCell): Record<string, string> {
  const { template } = planned.keys;
  return valuesIn({ ...madeOf(planned), template: `${template.id}@${template.version}` });
}

/** Whether a combination has a cause. */
export function hasCause(values: Readonly<Record<string, string>>, cause: CauseValues): boolean {
  return Object.entries(cause).every(([name, some]) => some.includes(values[name] ?? null));
}
