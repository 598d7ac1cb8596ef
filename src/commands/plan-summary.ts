import { compareText } from "../model/compare.ts";
import { grouped } from "../model/count.ts";
import { visible } from "../model/visible.ts";
import type { Cell, Planned, PlannedCell } from "../plan/cell.ts";
import { reasonText } from "../plan/decide/change-text.ts";
import { columnWidths, type Screen, shrink, tableLines } from "../screen/table.ts";

/** More reasons than that are counted without their changes; more rows than that are counted together. */
const MAX_REASONS = 8;
const MAX_ROWS = 20;

const ORDER = ["build", "retest", "retag", "reuse"];

/** Counts of one kind: those to build are counted too. */
interface Tally {
  name: string;
  cells: number;
  build: number;
}

function tallies(cells: readonly PlannedCell[], namesOf: (cell: Cell) => readonly string[]): Tally[] {
  const found = new Map<string, Tally>();
  for (const { cell } of cells) {
    for (const name of namesOf(cell)) {
      let tally = found.get(name);
      if (!tally) found.set(name, (tally = { name, cells: 0, build: 0 }));
      tally.cells += 1;
      if (cell.action === "build") tally.build += 1;
    }
  }
  return [...found.values()];
}

/** Counts by action and reason: what is most comes first. */
function reasonRows(cells: readonly PlannedCell[]): string[][] {
  const by = (text: (cell: Cell) => string) => tallies(cells, (cell) => [`${cell.action}\n${text(cell)}`]);
  let counts = by((cell) => visible(reasonText({ reason: cell.reason, changes: cell.changes.slice(0, 1) })));
  if (counts.length > MAX_REASONS) counts = by(({ reason }) => reason ?? "");
  const rows = counts.map(({ name, cells: count }) => ({ count, parts: name.split("\n") }));
  rows.sort(
    (a, b) =>
      ORDER.indexOf(a.parts[0] ?? "") - ORDER.indexOf(b.parts[0] ?? "") ||
      b.count - a.count ||
      compareText(a.parts[1] ?? "", b.parts[1] ?? ""),
  );
  return rows.map(({ count, parts }) => [grouped(count), ...parts]);
}

/** Counts by platform, plan or manifest, by name; those past twenty together. */
function nameRows(counts: readonly Tally[], all: boolean): string[][] {
  const sorted = [...counts].sort((a, b) => compareText(a.name, b.name));
  const named = all || sorted.length <= MAX_ROWS ? sorted : sorted.slice(0, MAX_ROWS - 1);
  const rows = named.map(({ name, cells, build }) => [grouped(cells), grouped(build), visible(name)]);
  const left = sorted.length - named.length;
  // A cell of two plans counts in both: what is left is not added up.
  if (left > 0) rows.push(["", "", `… and ${grouped(left)} more`]);
  return rows;
}

function* block(
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

/** Counts of a plan's cells: by action and reason, and by platform, plan and manifest where there are several. */
export function* summaryLines({ cells }: Planned, screen: Screen): Iterable<string> {
  const all = screen.columns === undefined;
  yield* block(["CELLS", "ACTION", "REASON"], reasonRows(cells), 1, screen);
  const kinds: [string, Tally[]][] = [
    ["PLATFORM", tallies(cells, ({ platform }) => [platform])],
    ["PLAN", tallies(cells, ({ plan_ids }) => plan_ids)],
    ["MANIFEST", tallies(cells, ({ manifest_id }) => [manifest_id])],
  ];
  for (const [kind, counts] of kinds) {
    if (counts.length < 2) continue;
    yield "";
    yield* block(["CELLS", "TO BUILD", kind], nameRows(counts, all), 2, screen);
  }
}
