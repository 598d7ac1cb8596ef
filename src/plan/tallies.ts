import { compareText } from "../model/compare.ts";
import { visible } from "../model/visible.ts";
import type { Cell, PlannedCell } from "./cell.ts";
import { reasonText } from "./decide/change-text.ts";

/** Beyond this many reasons, they are counted without their changes. */
const MAX_REASONS = 8;

const ORDER = ["build", "retest", "retag", "reuse"];

/** Counts of cells by one property: of all cells, and of those to build. */
export interface Tally {
  name: string;
  cells: number;
  build: number;
}

/** Counts cells by name, in the order in which the names first occur. */
export function tallies(cells: readonly PlannedCell[], namesOf: (cell: Cell) => readonly string[]): Tally[] {
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

/** How many cells have an action for a reason. */
export interface ReasonTally {
  cells: number;
  action: string;
  reason: string;
}

/** Counts by action and reason, the largest first. */
export function reasonTallies(cells: readonly PlannedCell[]): ReasonTally[] {
  const by = (text: (cell: Cell) => string) => tallies(cells, (cell) => [`${cell.action}\n${text(cell)}`]);
  let counts = by((cell) => visible(reasonText({ reason: cell.reason, changes: cell.changes.slice(0, 1) })));
  if (counts.length > MAX_REASONS) counts = by(({ reason }) => reason ?? "");
  const rows = counts.map(({ name, cells: count }): ReasonTally => {
    const [action = "", reason = ""] = name.split("\n");
    return { cells: count, action, reason };
  });
  return rows.sort(
    (a, b) =>
      ORDER.indexOf(a.action) - ORDER.indexOf(b.action) ||
      b.cells - a.cells ||
      compareText(a.reason, b.reason),
  );
}
