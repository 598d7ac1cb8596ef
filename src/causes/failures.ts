import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import type { RecordSummary } from "../records/list-request.ts";
import type { Attempts } from "../plan/decide/attempts.ts";
import { beginningOf } from "./beginning.ts";
import { joinedBoxes } from "./boxes.ts";
import { chosenArgs, madeLike } from "./chosen-args.ts";
import { type Cause, explain } from "./explanation.ts";
import type { FailureCause, FailureReport, ProbeCell } from "./failure-report.ts";
import { signatureOf } from "./log-signature.ts";
import { outcomesOf, valuesOf } from "./outcomes.ts";
import { probeFor } from "./probe.ts";
import type { Made } from "./remade.ts";
import { suggestedRules } from "./rules.ts";
import { type Verdict, type Verdicts, valuesIn } from "./verdicts.ts";

/** A cell of a plan. */
export interface OfferedCell {
  cell_id: string;
  plan_id: string | null;
  values: Readonly<Record<string, string>>;
  made: Made;
}

export interface FailureDeps {
  attempts: Attempts;
  offered: readonly OfferedCell[];
  /** A combination with the arguments that it has by default and its values, if it can be made; null if not. */
  madeAs: (made: Made) => Pick<OfferedCell, "made" | "values"> | null;
  /** Orders the values of a factor. */
  compare: (factor: string) => (a: string, b: string) => number;
}

const MOST_ALTERNATIVES = 5;

/** In how many values two combinations differ. */
function distance(a: RecordSummary, b: RecordSummary): number {
  const [one, other] = [valuesIn(a), valuesIn(b)];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (name) => one[name] !== other[name],
  ).length;
}

const newestFirst = (ids: readonly string[]): string[] => [...ids].sort((a, b) => compareText(b, a));

function signatureIn({ record }: Verdict): string {
  const { result, tests, fragments, platform, cell_id } = record;
  return signatureOf({
    stage: result.stage,
    class: result.class,
    tests: tests.flatMap(({ id, status }) => (status === "fail" || status === "error" ? [id] : [])),
    lines: result.log_excerpt,
    own: [cell_id, platform, platform.replaceAll("/", "-"), ...fragments.map(({ version }) => version)],
  });
}

/**
 * Why combinations of a manifest fail: the smallest combinations of values that explain all failures and contradict no pass,
 * with what shows it, when it began, and what to try where several explanations are left.
 */
export async function failureReport(
  manifestId: string,
  { verdicts, flaky, left_out, history }: Verdicts,
  { attempts, offered, madeAs, compare }: FailureDeps,
): Promise<FailureReport> {
  const args = chosenArgs(verdicts, madeAs);
  const argNames = new Set([...args.keys()].map((key) => key.slice(0, key.indexOf("\n"))));
  const factorsOf = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(values).filter(([name]) => !name.startsWith("args.") || argNames.has(name)),
    );
  const outcomes = outcomesOf(
    verdicts.map(({ values, failed }) => ({ values: factorsOf(values), failed })),
    compare,
  );
  const { causes: found, smallest } = explain(outcomes);
  const byRow = new Map<number, Verdict[]>();
  for (const [at, verdict] of verdicts.entries()) {
    const row = outcomes.failingRow[at] ?? -1;
    if (row >= 0) byRow.set(row, [...(byRow.get(row) ?? []), verdict]);
  }
  const verdictsIn = (rows: Iterable<number>) => [...new Set(rows)].flatMap((row) => byRow.get(row) ?? []);
  const passing = verdicts
    .filter(({ failed }) => !failed)
    .sort((a, b) => compareText(b.attempt.record_id, a.attempt.record_id));
  const tried = new Set(verdicts.map(({ values }) => canonicalJson(values)));
  const doubtful = new Set(flaky.map(({ cell_id }) => cell_id));
  const open = offered.filter(
    ({ values, cell_id }) => !tried.has(canonicalJson(values)) && !doubtful.has(cell_id),
  );
  const rowOf = (values: Readonly<Record<string, string>>) =>
    outcomes.factors.map(({ name, values: known }, factor) => {
      const at = known.indexOf(values[name] ?? "");
      return at < 0 ? -1 : (outcomes.start[factor] ?? 0) + at;
    });
  const rows = open.map(({ values }) => rowOf(values));

  const probeOf = (cause: Cause): ProbeCell | null => {
    const [like] = verdictsIn(cause.own);
    if (!like || cause.possible.length < 2) return null;
    const made = (row: readonly number[]) => madeLike(valuesOf(outcomes, row), like, args);
    const probe = probeFor(outcomes, {
      cause,
      others: found.filter((one) => one !== cause),
      offered: rows,
      isAllowed: (row) => {
        const one = madeAs(made(row));
        return one !== null && rowOf(one.values).join() === row.join();
      },
    });
    if (!probe) return null;
    const cell = probe.offered === null ? undefined : open[probe.offered];
    const own = made(probe.row);
    return {
      made: cell?.made ?? madeAs(own)?.made ?? own,
      cell_id: cell?.cell_id ?? null,
      plan_id: cell?.plan_id ?? null,
      left_if_fails: probe.inside,
      left_if_passes: probe.of - probe.inside,
    };
  };

  const boxes = joinedBoxes(
    found.map((cause) => ({
      values: new Map(
        Object.entries(valuesOf(outcomes, cause.values)).map(([name, value]) => [name, [value]]),
      ),
      parts: [cause],
    })),
    compare,
  );
  const causes: { cause: FailureCause; rows: ReadonlySet<number> }[] = [];
  for (const { values, parts } of boxes) {
    const own = new Set(parts.flatMap(({ rows: all }) => all));
    const failed = verdictsIn(own);
    const doubt = parts.find(({ possible }) => possible.length > 1) ?? parts[0];
    if (!doubt) continue;
    const has = (one: Readonly<Record<string, string>>, except?: string) =>
      [...values].every(([name, some]) => some.includes(one[name] ?? null) !== (name === except));
    const counts = new Map<string, number>();
    for (const verdict of failed) {
      const signature = signatureIn(verdict);
      counts.set(signature, (counts.get(signature) ?? 0) + 1);
    }
    const historyOf = (verdict: Verdict) => history.get(canonicalJson(verdict.values)) ?? [];
    const cause: FailureCause = {
      values: Object.fromEntries(values),
      records: newestFirst(failed.map(({ attempt }) => attempt.record_id)),
      expected: failed.every(({ summary }) => summary.expected),
      planned: offered.some((one) => has(one.values)),
      certain: parts.every(({ possible }) => possible.length === 1),
      possible: doubt.possible.length,
      alternatives: doubt.possible.slice(1, 1 + MOST_ALTERNATIVES).map((one) => valuesOf(outcomes, one)),
      passes_without: [...values.keys()].flatMap((factor) => {
        const one = passing.find((verdict) => has(verdict.values, factor));
        return one ? [{ factor, value: one.values[factor] ?? null, record_id: one.attempt.record_id }] : [];
      }),
      signatures: [...counts]
        .map(([signature, failures]) => ({ signature, failures }))
        .sort((a, b) => b.failures - a.failures || compareText(a.signature, b.signature)),
      began: await beginningOf(failed.map(historyOf), passing.map(historyOf), {
        attempts,
        distance,
      }),
      rules: suggestedRules(
        Object.fromEntries(values),
        passing.map((one) => one.values),
      ),
      probe: probeOf(doubt),
    };
    causes.push({ cause, rows: own });
  }
  causes.sort(
    ({ cause: a }, { cause: b }) =>
      Number(a.expected) - Number(b.expected) ||
      b.records.length - a.records.length ||
      compareText(JSON.stringify(a.values), JSON.stringify(b.values)),
  );

  const groups = new Map<string, { records: string[]; causes: Set<number> }>();
  for (const [row, all] of byRow)
    for (const verdict of all) {
      const signature = signatureIn(verdict);
      const group = groups.get(signature) ?? { records: [], causes: new Set() };
      groups.set(signature, group);
      group.records.push(verdict.attempt.record_id);
      for (const [at, one] of causes.entries()) if (one.rows.has(row)) group.causes.add(at);
    }
  return {
    manifest_id: manifestId,
    passing: passing.length,
    failing: verdicts.length - passing.length,
    causes: causes.map(({ cause }) => cause),
    groups: [...groups]
      .map(([signature, group]) => ({
        signature,
        records: newestFirst(group.records),
        causes: [...group.causes].sort((a, b) => a - b),
      }))
      .sort((a, b) => b.records.length - a.records.length || compareText(a.signature, b.signature)),
    smallest,
    flaky,
    left_out,
  };
}
