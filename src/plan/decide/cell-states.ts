import { FactoryError } from "../../errors.ts";
import type { MatrixCell } from "../../model/proof-matrix.ts";
import { knowsDigests } from "../../stitch/labels.ts";
import type { PlannedCell } from "../cell.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { decide } from "./decide.ts";
import { UNASKED } from "./placement.ts";
import type { DecideOptions } from "./ruling.ts";

const keyOf = ({ manifest_id, record_id }: Attempt) => `${manifest_id}/${record_id}`;

/** Attempts without those whose records turn out not to be what they were. @param bad gets these, with what is wrong */
function believable(attempts: Attempts, bad: Map<string, string>): Attempts {
  const good = (all: readonly Attempt[]) => all.filter((one) => !bad.has(keyOf(one)));
  return {
    ...attempts,
    withVerdictKey: (key) => good(attempts.withVerdictKey(key)),
    withBuildKey: (key) => good(attempts.withBuildKey(key)),
    ofCell: (manifestId, cellId) => good(attempts.ofCell(manifestId, cellId)),
    read: async (attempt) => {
      try {
        return await attempts.read(attempt);
      } catch (error) {
        if (error instanceof FactoryError) bad.set(keyOf(attempt), error.message);
        throw error;
      }
    },
    problems: async (attempt) => {
      const problems = await attempts.problems(attempt);
      if (problems[0] !== undefined) bad.set(keyOf(attempt), problems[0]);
      return problems;
    },
  };
}

/** Decides as for reuse, but leaves out records that cannot be believed where reuse would end. */
async function decided(
  cells: readonly PlannedCell[],
  options: Omit<DecideOptions, "places" | "needPushed">,
  bad: Map<string, string>,
): Promise<PlannedCell[]> {
  const attempts = believable(options.attempts, bad);
  for (;;) {
    const before = bad.size;
    try {
      return await decide(cells, { ...options, attempts, places: UNASKED, needPushed: false });
    } catch (error) {
      if (!(error instanceof FactoryError) || bad.size === before) throw error;
    }
  }
}

function changesText({ cell: { reason, changes } }: PlannedCell): string {
  const [first] = changes;
  if (!first) return reason ?? "";
  return `${reason}: ${first.input} ${first.before ?? "none"} → ${first.after ?? "none"}`;
}

/**
 * What is known of each cell, by the rules of reuse: a verdict counts only under the verdict key that the cell has today, and
 * only with evidence that proves it. Records that cannot be believed make their cells unknown, and are named in `problems`.
 */
export async function statesOf(
  cells: readonly PlannedCell[],
  options: Omit<DecideOptions, "places" | "needPushed">,
): Promise<{ states: MatrixCell[]; problems: { record: string; what: string }[] }> {
  const { attempts } = options;
  const bad = new Map<string, string>();
  const states: MatrixCell[] = [];
  for (const planned of await decided(cells, options, bad)) {
    const { cell } = planned;
    // Without the digests of all images the key does not determine the bits.
    const own = (knowsDigests(cell.images) ? attempts.withVerdictKey(cell.verdict_key) : []).filter(
      (one) => one.manifest_id === cell.manifest_id && one.platform === cell.platform,
    );
    const verdict = own.find(({ status }) => status !== "error");
    // What is missing may have held a later verdict, and what was pruned proves nothing.
    const isLast = verdict && attempts.lost(verdict) === null && attempts.pruned(verdict) === null;
    const newest = isLast ? verdict : undefined;
    const isProof = cell.action === "reuse" || cell.action === "retag";
    if (newest && !isProof && !bad.has(keyOf(newest))) {
      const [problem] = await attempts.problems(newest);
      if (problem !== undefined) bad.set(keyOf(newest), problem);
    }
    const say = (state: MatrixCell["state"], why: string, record: Attempt | null | undefined) =>
      states.push({
        cell_id: cell.cell_id,
        platform: cell.platform,
        state,
        why,
        record_id: record?.record_id ?? null,
      });
    const doubtful = own.find((one) => bad.has(keyOf(one)));
    if (doubtful) {
      say("unknown", "a record of it cannot be believed: see `factory records verify`", doubtful);
    } else if (newest?.status === "fail") {
      if (cell.expect) say("expected failing", cell.expect.reason, newest);
      else say("failing", newest.class ?? newest.stage, newest);
    } else if (newest && (isProof || cell.reason === "NEVER" || cell.reason === "MEANT_TO_FAIL")) {
      say("proven", cell.expect ? "it was expected to fail, and passes" : "", newest);
    } else {
      const before = attempts.ofCell(cell.manifest_id, cell.cell_id).find(({ status }) => status !== "error");
      const last = verdict ?? before;
      if (last) say("stale", changesText(planned), last);
      else say("unknown", own.length > 0 ? "no attempt came to a verdict" : "never tried", own[0]);
    }
  }
  return { states, problems: [...bad].map(([record, what]) => ({ record, what })) };
}
