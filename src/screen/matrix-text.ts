import {
  countsText,
  entryText,
  type Matrix,
  type MatrixEntry,
  type MatrixTable,
  SIGNS,
  type State,
  STATES,
} from "../model/proof-matrix.ts";
import { visible } from "../model/visible.ts";
import { columnWidths, type Screen, shrink, tableLines, tableWidth, wrap } from "./table.ts";

const COLORS: Readonly<Record<State, "red" | "yellow" | "dim" | "cyan" | "green">> = {
  failing: "red",
  unknown: "dim",
  stale: "yellow",
  "expected failing": "cyan",
  proven: "green",
};

const signText = (entry: MatrixEntry | null) => (entry ? SIGNS[entry.state] : "");
const wordText = (entry: MatrixEntry | null) => (entry ? `${SIGNS[entry.state]} ${entryText(entry)}` : "");

/** Columns in blocks that fit. @param width of the first column, and of each other one */
function blocksOf(widths: readonly number[], columns: number | undefined): number[][] {
  const all = [...widths.keys()].slice(1);
  if (columns === undefined) return [all];
  const blocks: number[][] = [];
  let block: number[] = [];
  for (const at of all) {
    const own = [0, ...block, at].map((one) => widths[one] ?? 0);
    if (block.length > 0 && tableWidth(own) > columns) {
      blocks.push(block);
      block = [];
    }
    block.push(at);
  }
  return block.length > 0 ? [...blocks, block] : blocks;
}

function* drawn(table: MatrixTable, corner: string, { columns, color }: Screen): Iterable<string> {
  const head = [corner, ...table.cols.map(visible)];
  const rowsWith = (text: (entry: MatrixEntry | null) => string) =>
    table.rows.map((row, at) => [visible(row), ...(table.entries[at] ?? []).map(text)]);
  const worded = rowsWith(wordText);
  const fits = columns === undefined || tableWidth(columnWidths(head, worded)) <= columns;
  const rows = fits ? worded : rowsWith(signText);
  const natural = columnWidths(head, rows);
  const widths =
    columns === undefined ? natural : natural.map((width) => Math.min(width, Math.max(1, columns >> 1)));
  for (const block of blocksOf(widths, columns)) {
    const pick = <T>(all: readonly T[]) => [0, ...block].flatMap((at) => all[at] ?? []);
    const picked = [0, ...block].map((at) => widths[at] ?? 0);
    const own = columns === undefined ? picked : shrink(picked, columns, { least: 1 });
    yield* tableLines([pick(head)], own, (text) => color.dim(text));
    yield* tableLines(rows.map(pick), own, (text, at) => {
      const state = at === 0 ? undefined : STATES.find((one) => text.startsWith(SIGNS[one]));
      return state ? color[COLORS[state]](text) : text;
    });
  }
}

/** A matrix for people: signs and words, and colours if there are any. No line is wider than the terminal. */
export function* matrixLines(matrix: Matrix, screen: Screen): Iterable<string> {
  for (const table of matrix.tables) {
    if (table.per !== null)
      for (const line of wrap(`${matrix.per} ${visible(table.per)}`, screen.columns))
        yield screen.color.bold(line);
    yield* drawn(table, `${matrix.rows} \\ ${matrix.cols}`, screen);
    yield "";
  }
  const legend = STATES.filter((state) => matrix.counts[state] > 0)
    .map((state) => `${SIGNS[state]} ${state}`)
    .reverse()
    .join("  ");
  for (const line of legend === "" ? [] : wrap(legend, screen.columns)) yield screen.color.dim(line);
  yield* wrap(countsText(matrix.counts), screen.columns);
}
