import { compareText } from "../model/compare.ts";
import { type Matrix, type MatrixCell, matrixOf, type Placed } from "../model/proof-matrix.ts";

/** A cell, and its value on each axis that it has. */
export interface ValuedCell extends MatrixCell {
  values: Readonly<Record<string, string>>;
}

export interface MatrixAxis {
  name: string;
  /** In their order. */
  values: string[];
}

/** What a page needs to lay out a manifest's cells by any axes. */
export interface MatrixData {
  manifest_id: string;
  axes: MatrixAxis[];
  cells: ValuedCell[];
}

/**
 * The axes on which cells have values, those that vary most first.
 * @param compare orders the values of an axis
 */
export function axesOf(
  cells: readonly ValuedCell[],
  compare: (axis: string) => (a: string, b: string) => number,
): MatrixAxis[] {
  const values = new Map<string, Set<string>>();
  for (const cell of cells)
    for (const [name, value] of Object.entries(cell.values)) {
      const known = values.get(name);
      if (known) known.add(value);
      else values.set(name, new Set([value]));
    }
  const rank = (name: string) => (name === "base" || name.startsWith("args.") ? 1 : 0);
  return [...values]
    .map(([name, own]) => ({ name, values: [...own].sort(compare(name)) }))
    .sort(
      (a, b) =>
        Number(b.values.length > 1) - Number(a.values.length > 1) ||
        rank(a.name) - rank(b.name) ||
        b.values.length - a.values.length ||
        compareText(a.name, b.name),
    );
}

/** The axes that are shown unless others are asked for; null without two. */
export function firstAxes(axes: readonly MatrixAxis[]): { rows: string; cols: string } | null {
  const [rows, cols] = axes;
  return rows && cols ? { rows: rows.name, cols: cols.name } : null;
}

/** Lays cells out; those without a value on an axis are left out. */
export function layOut(
  { manifest_id, axes, cells }: MatrixData,
  { rows, cols, per = null }: { rows: string; cols: string; per?: string | null },
): Matrix {
  const placed = cells.flatMap(({ values, ...cell }): Placed[] => {
    const [row, col] = [values[rows], values[cols]];
    const third = per === null ? null : values[per];
    return row === undefined || col === undefined || third === undefined
      ? []
      : [{ cell, row, col, per: third }];
  });
  const order = new Map(
    axes.map(({ name, values }) => [name, new Map(values.map((value, at) => [value, at]))]),
  );
  return matrixOf(placed, { manifest_id, rows, cols, per }, (axis) => (a, b) => {
    const own = order.get(axis);
    return (own?.get(a) ?? 0) - (own?.get(b) ?? 0);
  });
}
