import { visible } from "../model/visible.ts";

/** What a spreadsheet would take for a formula: these signs, and the wide forms of them, at the beginning of a cell. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

/**
 * A row of CSV (RFC 4180), without its line break. A cell that a spreadsheet would run gets a `'` before it; what cannot be seen
 * is written as an escape. null is an empty cell.
 */
export function csvRow(cells: readonly (string | number | boolean | null)[]): string {
  return cells
    .map((cell) => {
      if (typeof cell !== "string") return cell === null ? "" : String(cell);
      const text = FORMULA.test(cell) ? `'${visible(cell)}` : visible(cell);
      return /[",'\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",");
}
