import stringWidth from "string-width";
import type { Palette } from "./palette.ts";

/** What lines are written for. */
export interface Screen {
  /** Columns of the terminal; undefined where it is none: then nothing is cut. */
  columns: number | undefined;
  color: Palette;
}

const GAP = 2;

/** Texts of characters that each take one column: ASCII, Latin letters and the signs of our own. */
const NARROW = /^[ -~¡-¨ª-¬¯-ÿ…→]*$/;

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text);
}

/** Text cut to so many columns, with `…` at the end where something was cut. Colours in it stay, and end. */
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

/** How wide each column is: as its widest text. */
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
 * Takes from the widest columns until the table fits, as long as one is wider than `least`.
 * @param giving the columns that may give way; all of them where it is left out
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
 * @param paint colours a text of a column; its width stays
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
 * Rows in columns as wide as their widest cell, the head first. Where the terminal is narrower, the widest columns
 * give way until the rest fits; without a terminal nothing is cut.
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

/** A text broken between words into lines of so many columns; a longer word is broken too. Lines but the first are indented. */
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
 * A table whose first columns are numbers, which stand to the right; its last column gives way where the terminal is narrow.
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
    // A terminal of a few columns: something has to give way.
    widths = shrink(widths, columns, { least: 1 });
  }
  yield* tableLines([right(head)], widths, (text) => color.dim(text));
  yield* tableLines(rows.map(right), widths);
}
