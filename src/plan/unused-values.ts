import { valueText } from "../model/value.ts";
import type { LeftOut } from "./cell.ts";
import { explainEmpty } from "../solver/explain.ts";
import type { Nogood } from "../solver/model.ts";
import type { Space } from "./space.ts";

/** Of more values than this only the names are given: to find out why costs a search for each. */
const MAX_EXPLAINED = 50;

/**
 * The values of axes that no cell has, each with the rules that together rule it out.
 * @param rows the cells of the axes
 * @param isSaid whether a value is named already, or a cell beside those has it
 */
export function unusedValues(
  { columns, rules }: Pick<Space, "columns" | "rules">,
  rows: readonly (readonly number[])[],
  isSaid: (name: string, value: string) => boolean,
): LeftOut[] {
  const used = columns.map(({ size }) => new Uint8Array(size));
  for (const row of rows)
    for (const [column, position] of row.entries()) used[column]?.fill(1, position, position + 1);
  const sizes = columns.map(({ size }) => size);
  let left = MAX_EXPLAINED;
  return columns.flatMap(({ axes, size }, column) =>
    Array.from({ length: size }, (_, position): LeftOut[] => {
      if (used[column]?.[position] === 1) return [];
      // What a named axis sets is not looked at by itself: its value stands for all of it.
      const own = axes[0]?.kind === "named" ? axes.slice(0, 1) : axes;
      const values = Object.fromEntries(
        own.map(({ name, values }) => [name, valueText(values[position] ?? "")]),
      );
      if (Object.entries(values).every(([name, value]) => isSaid(name, value))) return [];
      const others = new Uint8Array(size).fill(1);
      others[position] = 0;
      const only: Nogood[] = size > 1 ? [{ columns: [column], values: [others] }] : [];
      left -= 1;
      const guilty = left < 0 ? [] : (explainEmpty({ sizes, forbidden: [...rules, ...only] }) ?? []);
      const why = guilty.flatMap((at) => rules[at]?.what ?? []);
      return [
        { values, what: why.length === 0 ? "is in no cell" : `is in no cell, since ${why.join(", and ")}` },
      ];
    }).flat(),
  );
}
