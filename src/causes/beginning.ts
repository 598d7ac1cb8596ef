import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import { compareInputs } from "../plan/decide/reason.ts";
import type { Change } from "../plan/action.ts";
import type { RecordSummary } from "../records/list-request.ts";
import type { Told } from "./verdicts.ts";

/** When failures began. */
export interface Beginning {
  /** The first failing record of those that still fail. */
  first_fail: { record_id: string; cell_id: string; tested_at: string };
  /** The newest passing one before it: of the same cell, else of the one that differs least; null if none passed. */
  last_pass: { record_id: string; cell_id: string; tested_at: string } | null;
  /** Whether both are of the same combination. */
  same_cell: boolean;
  /** How the inputs of the first failing record differ from those of the last passing one. */
  changes: Change[];
}

const named = ({ record_id, cell_id, tested_at }: Attempt) => ({ record_id, cell_id, tested_at });

/** The oldest of the fails that nothing passed after, and what was before it. @param told newest first, the first one a fail */
function streakOf(told: readonly Told[]): { first: Told; before: Told | undefined } | undefined {
  const end = told.findIndex(({ attempt }) => attempt.status === "pass");
  const first = told[(end < 0 ? told.length : end) - 1];
  return first && { first, before: end < 0 ? undefined : told[end] };
}

/**
 * When a cause began, from the histories of the combinations that fail of it: newest first, whatever their files were.
 * @param passes the histories of all others
 */
export async function beginningOf(
  failing: readonly (readonly Told[])[],
  passes: readonly (readonly Told[])[],
  { attempts, distance }: { attempts: Attempts; distance: (a: RecordSummary, b: RecordSummary) => number },
): Promise<Beginning | null> {
  const streaks = failing
    .flatMap((told) => streakOf(told) ?? [])
    .sort((a, b) => compareText(a.first.attempt.record_id, b.first.attempt.record_id));
  // A cell that passed before says most: only what changed in it can be to blame.
  const streak = streaks.find(({ before }) => before !== undefined) ?? streaks[0];
  if (!streak) return null;
  const { first } = streak;
  const isOlder = ({ attempt }: Told) => attempt.record_id < first.attempt.record_id;
  const earlier = streak.before
    ? [streak.before]
    : passes
        .flatMap((told) => told.find((one) => one.attempt.status === "pass" && isOlder(one)) ?? [])
        .map((one) => ({ one, far: distance(one.summary, first.summary) }))
        .sort((a, b) => a.far - b.far || compareText(b.one.attempt.record_id, a.one.attempt.record_id))
        .slice(0, MOST_TRIED)
        .map(({ one }) => one);
  const none = { first_fail: named(first.attempt), last_pass: null, same_cell: false, changes: [] };
  for (const { attempt } of earlier) {
    try {
      if (attempts.pruned(attempt) !== null || (await attempts.problems(attempt)).length > 0) continue;
      const [was, is] = [await attempts.read(attempt), await attempts.read(first.attempt)];
      return {
        first_fail: named(first.attempt),
        last_pass: named(attempt),
        same_cell: streak.before !== undefined,
        changes: compareInputs(was, is)?.changes ?? [],
      };
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
    }
  }
  return none;
}

/** How many passing records are looked at for one that can be believed. */
const MOST_TRIED = 5;
