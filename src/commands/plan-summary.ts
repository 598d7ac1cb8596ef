import { compareText } from "../model/compare.ts";
import { grouped } from "../model/count.ts";
import { visible } from "../model/visible.ts";
import type { Planned } from "../plan/cell.ts";
import { reasonTallies, tallies, type Tally } from "../plan/tallies.ts";
import { numberTable, type Screen } from "../screen/table.ts";

/** Rows beyond this are counted together. */
const MAX_ROWS = 20;

/** Counts by platform, plan or manifest, by name; those past twenty together. */
function nameRows(counts: readonly Tally[], all: boolean): string[][] {
  const sorted = [...counts].sort((a, b) => compareText(a.name, b.name));
  const named = all || sorted.length <= MAX_ROWS ? sorted : sorted.slice(0, MAX_ROWS - 1);
  const rows = named.map(({ name, cells, build }) => [grouped(cells), grouped(build), visible(name)]);
  const left = sorted.length - named.length;
  // A cell of two plans counts in both, so the rest cannot be added up.
  if (left > 0) rows.push(["", "", `… and ${grouped(left)} more`]);
  return rows;
}

/** Counts of a plan's cells: by action and reason, and by platform, plan and manifest where there are several. */
export function* summaryLines({ cells }: Planned, screen: Screen): Iterable<string> {
  const all = screen.columns === undefined;
  const reasons = reasonTallies(cells).map(({ cells: count, action, reason }) => [
    grouped(count),
    action,
    reason,
  ]);
  yield* numberTable(["CELLS", "ACTION", "REASON"], reasons, 1, screen);
  const kinds: [string, Tally[]][] = [
    ["PLATFORM", tallies(cells, ({ platform }) => [platform])],
    ["PLAN", tallies(cells, ({ plan_ids }) => plan_ids)],
    ["MANIFEST", tallies(cells, ({ manifest_id }) => [manifest_id])],
  ];
  for (const [kind, counts] of kinds) {
    if (counts.length < 2) continue;
    yield "";
    yield* numberTable(["CELLS", "TO BUILD", kind], nameRows(counts, all), 2, screen);
  }
}
