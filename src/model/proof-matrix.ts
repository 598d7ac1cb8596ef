/** What is known of a cell as the workspace is today; the worst comes first. */
export const STATES = ["failing", "unknown", "stale", "expected failing", "proven"] as const;

export type State = (typeof STATES)[number];

/** The sign of each state, for where a word has no room. No two look alike without colour. */
export const SIGNS: Readonly<Record<State, string>> = {
  failing: "✘",
  unknown: "?",
  stale: "~",
  "expected failing": "≈",
  proven: "✔",
};

/** One cell of the workspace, or of its records. */
export interface MatrixCell {
  cell_id: string;
  platform: string;
  state: State;
  /** For people: why it has that state. */
  why: string;
  /** The record that says so; null if there is none. */
  record_id: string | null;
}

/** All cells that have two values in common. */
export interface MatrixEntry {
  /** The worst state of them. */
  state: State;
  /** How many of them have it. */
  count: number;
  cells: MatrixCell[];
}

/** The states of cells by the values of two axes. */
export interface MatrixTable {
  /** The value of the third axis; null without one. */
  per: string | null;
  rows: string[];
  cols: string[];
  /** By row and column; null where there is no cell. */
  entries: (MatrixEntry | null)[][];
}

export interface Matrix {
  manifest_id: string;
  rows: string;
  cols: string;
  per: string | null;
  tables: MatrixTable[];
  /** How many cells have each state. */
  counts: Record<State, number>;
}

/** A cell and its values on the axes. */
export interface Placed {
  cell: MatrixCell;
  row: string;
  col: string;
  per: string | null;
}

export function countsOf(cells: Iterable<MatrixCell>): Record<State, number> {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
  for (const { state } of cells) counts[state] += 1;
  return counts;
}

function entryOf(cells: MatrixCell[]): MatrixEntry | null {
  const state = STATES.find((one) => cells.some((cell) => cell.state === one));
  return state === undefined
    ? null
    : { state, count: cells.filter((cell) => cell.state === state).length, cells };
}

/**
 * Lays cells out.
 * @param compare orders the values of an axis
 */
export function matrixOf(
  placed: readonly Placed[],
  about: Pick<Matrix, "manifest_id" | "rows" | "cols" | "per">,
  compare: (axis: string) => (a: string, b: string) => number,
): Matrix {
  const valuesOf = (cells: readonly Placed[], axis: string, of: (one: Placed) => string) =>
    [...new Set(cells.map(of))].sort(compare(axis));
  const pers = about.per === null ? [null] : valuesOf(placed, about.per, ({ per }) => per ?? "");
  const tables = pers.map((per): MatrixTable => {
    const own = placed.filter((one) => one.per === per);
    const rows = valuesOf(own, about.rows, ({ row }) => row);
    const cols = valuesOf(own, about.cols, ({ col }) => col);
    const at = new Map<string, MatrixCell[]>();
    for (const { cell, row, col } of own) {
      const key = JSON.stringify([row, col]);
      const known = at.get(key);
      if (known) known.push(cell);
      else at.set(key, [cell]);
    }
    const entries = rows.map((row) => cols.map((col) => entryOf(at.get(JSON.stringify([row, col])) ?? [])));
    return { per, rows, cols, entries };
  });
  return { ...about, tables, counts: countsOf(placed.map(({ cell }) => cell)) };
}

/** An entry in words: `proven`, or `failing 1/2` if only some of its cells have the state. */
export function entryText({ state, count, cells }: MatrixEntry): string {
  return count === cells.length ? state : `${state} ${count}/${cells.length}`;
}

/** The counts in words, without states that no cell has. */
export function countsText(counts: Record<State, number>): string {
  const texts = [...STATES]
    .reverse()
    .flatMap((state) => (counts[state] > 0 ? [`${counts[state]} ${state}`] : []));
  return texts.length === 0 ? "no cells" : texts.join(", ");
}
