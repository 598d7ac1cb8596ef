import stringWidth from "string-width";
import type { Palette } from "./palette.ts";

/** The place that lines are written for. */
export interface Screen {
  /** Columns of the terminal; undefined if it is not a terminal: then nothing is cut. */
  columns: number | undefined;
  color: Palette;
}

const GAP = 2;

/** Matches text whose characters each take one column: ASCII, Latin letters and our own signs. */
const NARROW = /^[ -~¡-¨ª-¬¯-ÿ…→]*$/;

/** How many columns a text takes in a terminal. */
export function textWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text);
}

/** Text cut to a number of columns, ending in `…` if something was cut. Its colours are kept, and closed. */
function fit(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  let full = false;
  for (const [piece] of text.matchAll(/\u001b\[[0-9;]*m|./gsu)) {
    if (piece.length > 1 && piece.startsWith("\u001b")) cut += piece;
    else if (!full) {
      const wide = textWidth(piece);
      full = width + wide > columns - 1;
      cut += full ? "…" : piece;
      width += wide;
    }
  }
  return cut;
}

/** The width of each column: that of its widest text. */
export function columnWidths(head: readonly string[], rows: readonly (readonly string[])[]): number[] {
  const widths = head.map(textWidth);
  for (const row of rows) {
    for (let at = 0; at < widths.length; at += 1)
      widths[at] = Math.max(widths[at] ?? 0, textWidth(row[at] ?? ""));
  }
  return widths;
}

/** How wide a table is. */
export function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}

/**
 * Narrows the widest columns until the table fits, but none to less than `least`.
 * @param giving the columns that may be narrowed; all of them by default
 */
export function shrink(
  widths: readonly number[],
  columns: number,
  { giving = [...widths.keys()], least = 8 }: { giving?: readonly number[]; least?: number } = {},
): number[] {
  const shrunk = [...widths];
  let over = tableWidth(shrunk) - columns;
  while (over > 0) {
    let widest = -1;
    for (const at of giving) if ((shrunk[at] ?? 0) > (shrunk[widest] ?? 0)) widest = at;
    if ((shrunk[widest] ?? 0) <= least) break;
    shrunk[widest] = (shrunk[widest] ?? 0) - 1;
    over -= 1;
  }
  return shrunk;
}

/**
 * Rows as lines, in columns of these widths.
 * @param paint colours a text of a column without changing its width
 */
export function* tableLines(
  rows: Iterable<readonly string[]>,
  widths: readonly number[],
  paint: (text: string, column: number) => string = (text) => text,
): Iterable<string> {
  for (const row of rows) {
    let line = "";
    let blank = 0;
    for (let at = 0; at < widths.length; at += 1) {
      const width = widths[at] ?? 0;
      const text = fit(row[at] ?? "", width);
      if (text !== "") {
        line += " ".repeat(blank) + paint(text, at);
        blank = 0;
      }
      blank += width - textWidth(text) + GAP;
    }
    yield line.trimEnd();
  }
}

/**
 * Rows in columns as wide as their widest cell, the head first. If the terminal is narrower, the widest columns are
 * narrowed until the table fits; without a terminal nothing is cut.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): string {
  const natural = columnWidths(head, rows);
  const widths = columns === undefined ? natural : shrink(natural, columns);
  return [...tableLines([head, ...rows], widths)].join("\n");
}

/** Text broken between words into lines of a number of columns; a longer word is broken too. All lines but the first are indented. */
export function wrap(text: string, columns: number | undefined, indent = "  "): string[] {
  if (columns === undefined || textWidth(text) <= columns) return [text];
  const lines: string[] = [];
  let line = "";
  const room = () => Math.max(1, columns - (lines.length > 0 ? indent.length : 0));
  const end = () => {
    lines.push(lines.length > 0 ? indent + line : line);
    line = "";
  };
  for (const word of text.split(" ")) {
    if (line !== "" && textWidth(line) + 1 + textWidth(word) <= room()) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") end();
    for (const character of word) {
      if (textWidth(line) + textWidth(character) > room()) end();
      line += character;
    }
  }
  if (line !== "") end();
  return lines;
}

/**
 * A table whose first columns are numbers, aligned to the right; its last column is narrowed if the terminal is narrow.
 * @param numbers how many columns are numbers
 */
export function* numberTable(
  head: readonly string[],
  rows: readonly string[][],
  numbers: number,
  { columns, color }: Screen,
): Iterable<string> {
  const natural = columnWidths(head, rows);
  const right = (row: readonly string[]) =>
    row.map((text, at) => (at < numbers ? text.padStart(natural[at] ?? 0) : text));
  let widths = natural;
  if (columns !== undefined) {
    widths = shrink(widths, columns, { giving: [head.length - 1] });
    // A terminal of very few columns: the numbers have to be cut too.
    widths = shrink(widths, columns, { least: 1 });
  }
  yield* tableLines([right(head)], widths, (text) => color.dim(text));
  yield* tableLines(rows.map(right), widths);
}
