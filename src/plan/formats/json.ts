import type { Planned, PlannedCell } from "../cell.ts";
import { prefixTargets } from "../prefix.ts";
import type { ShardedPlan } from "../shards/split.ts";
import type { WriteFormat } from "./format.ts";

function countBy(cells: readonly PlannedCell[], of: (planned: PlannedCell) => string | null) {
  const counts: Record<string, number> = {};
  for (const planned of cells) {
    const key = of(planned);
    if (key !== null) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function summaryOf(planned: Planned) {
  const { cells, left_out, coverage } = planned;
  return {
    cells: cells.length,
    platforms: countBy(cells, ({ cell }) => cell.platform),
    prefixes: prefixTargets(cells, null).length,
    actions: countBy(cells, ({ cell }) => cell.action),
    reasons: countBy(cells, ({ cell }) => cell.reason),
    expected_failures: cells.filter(({ cell }) => cell.expect).length,
    left_out,
    coverage,
  };
}

function shardsOf(sharded: ShardedPlan | null): object {
  if (!sharded) return {};
  return {
    shards: sharded.shards.map((cells) => cells.map(({ cell }) => cell.cell_id)),
    shards_fingerprint: sharded.fingerprint,
    estimate: sharded.estimate,
  };
}

/**
 * The document of `--format json`, a piece at a time: a plan may have a hundred thousand cells.
 * @param more what stands beside the plan
 */
export function* planDocument(
  planned: Planned,
  sharded: ShardedPlan | null,
  more: object = {},
): Generator<string> {
  const { plan_id, plan_ids, manifest_id, cells } = planned;
  const head = JSON.stringify({ plan_id, plan_ids, manifest_id }, null, 2).slice(0, -2);
  yield `${head},\n  "cells": [`;
  let piece = "";
  for (const [at, { cell }] of cells.entries()) {
    piece += `${at === 0 ? "" : ","}\n    ${JSON.stringify(cell)}`;
    if (piece.length > 65_536) {
      yield piece;
      piece = "";
    }
  }
  const tail = JSON.stringify({ summary: summaryOf(planned), ...shardsOf(sharded), ...more }, null, 2).slice(
    1,
  );
  yield `${piece}${cells.length === 0 ? "" : "\n  "}],${tail}`;
}

/** `--format json` */
export const write: WriteFormat = ({ planned, sharded }) => ({
  count: 1,
  files: [{ name: "plan.json", text: planDocument(planned, sharded) }],
  isContent: false,
  document: "plan",
});
