import { compareText } from "../model/compare.ts";
import { valueText } from "../model/value.ts";
import type { RecordSummary } from "../records/list-request.ts";
import type { Value } from "../schemas/types.ts";
import type { Attempts } from "../plan/decide/attempts.ts";
import { type Beginning, beginningOf } from "./beginning.ts";
import { joinedBoxes } from "./boxes.ts";
import { type Cause, explain } from "./explanation.ts";
import { signatureOf } from "./log-signature.ts";
import { outcomesOf, valuesOf } from "./outcomes.ts";
import { probeFor } from "./probe.ts";
import type { Made } from "./remade.ts";
import {
  combinationKey,
  type Flaky,
  type LeftOut,
  type Verdict,
  type Verdicts,
  valuesIn,
} from "./verdicts.ts";

/** Values by factor; of a list, any. null: the combination has no such fragment or argument. */
export type CauseValues = Record<string, (string | null)[]>;

export interface ProbeCell {
  /** What it is made of, whether or not a plan has it. */
  made: Made;
  /** The planned cell that it is; null if no plan has it. */
  cell_id: string | null;
  plan_id: string | null;
  /** How many of the possible causes are left if it fails, and if it passes. */
  left_if_fails: number;
  left_if_passes: number;
}

/** A combination of values that explains failures. */
export interface FailureCause {
  values: CauseValues;
  /** Ids of the failing records that have it, newest first. */
  records: string[];
  /** Whether plans declared all of them. */
  expected: boolean;
  /** Whether some plan still has a cell with it. */
  planned: boolean;
  /** Whether the records leave no other explanation. */
  certain: boolean;
  /** How many combinations could be the cause, with this one; and the smallest of the others. */
  possible: number;
  alternatives: Record<string, string | null>[];
  /** For each factor, the newest passing record that has all else of it. */
  passes_without: { factor: string; value: string | null; record_id: string }[];
  /** How the failures show themselves, the most frequent first. */
  signatures: { signature: string; failures: number }[];
  began: Beginning | null;
  /** null if it is certain, or nothing that could be tried tells more. */
  probe: ProbeCell | null;
}

/** Failures that show themselves in the same way. */
export interface FailureGroup {
  signature: string;
  /** Failing records, newest first. */
  records: string[];
  /** Indexes of the causes that explain them. */
  causes: number[];
}

export interface FailureReport {
  manifest_id: string;
  /** Combinations with a verdict. */
  passing: number;
  failing: number;
  causes: FailureCause[];
  groups: FailureGroup[];
  /** Whether there is no smaller explanation; with very many values that is not known. */
  smallest: boolean;
  flaky: Flaky[];
  left_out: LeftOut;
}

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
 * The arguments that somebody chose for some combination. What all others have follows from their fragments' versions, so it is
 * no factor of its own.
 */
function chosenArgs(verdicts: readonly Verdict[], madeAs: FailureDeps["madeAs"]): Map<string, Value> {
  const found = new Map<string, Map<string, Value>>();
  for (const { summary } of verdicts)
    for (const [name, value] of Object.entries(summary.args))
      found.set(name, (found.get(name) ?? new Map<string, Value>()).set(valueText(value), value));
  const varied = [...found].filter(
    ([name, values]) => values.size > 1 || verdicts.some(({ summary }) => summary.args[name] === undefined),
  );
  const open = new Map(varied);
  const chosen = new Map<string, Value>();
  for (const { summary } of verdicts) {
    if (open.size === 0) break;
    const usual = madeAs({ ...summary, args: {} })?.made.args;
    for (const [name, values] of open) {
      const [own, other] = [summary.args[name], usual?.[name]];
      if (own === undefined || (other !== undefined && valueText(own) === valueText(other))) continue;
      for (const [text, value] of values) chosen.set(`args.${name}\n${text}`, value);
      open.delete(name);
    }
  }
  return chosen;
}

/** What a combination is made of. @param like gives what is the same in all combinations @param args those that are factors */
function madeOf(
  values: Readonly<Record<string, string | null>>,
  like: Verdict,
  args: ReadonlyMap<string, Value>,
): Made {
  const { summary } = like;
  const all: Record<string, string | null> = { ...like.values, ...values };
  const fragments: Record<string, string> = {};
  const own: Record<string, Value> = {};
  for (const [name, text] of Object.entries(all)) {
    if (text === null || name === "template" || name === "platform" || name === "base") continue;
    const value = args.get(`${name}\n${text}`);
    if (!name.startsWith("args.")) fragments[name] = text;
    else if (value !== undefined) own[name.slice("args.".length)] = value;
  }
  return {
    fragments,
    platform: all.platform ?? summary.platform,
    base: all.base ?? summary.base,
    args: own,
  };
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
  const tried = new Set(verdicts.map(({ values }) => combinationKey(values)));
  const doubtful = new Set(flaky.map(({ cell_id }) => cell_id));
  const open = offered.filter(
    ({ values, cell_id }) => !tried.has(combinationKey(values)) && !doubtful.has(cell_id),
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
    const made = (row: readonly number[]) => madeOf(valuesOf(outcomes, row), like, args);
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
    const historyOf = (verdict: Verdict) => history.get(combinationKey(verdict.values)) ?? [];
    const cause: FailureCause = {
      values: Object.fromEntries([...values].map(([name, some]) => [name, [...some]])),
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
