import { FactoryError } from "../errors.ts";
import { canonicalJson } from "../model/digest.ts";
import { valueText } from "../model/value.ts";
import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import type { RecordSummary } from "../records/list-request.ts";
import type { FactoryRecord, FactoryRecord1 } from "../schemas/types.ts";

/** What is known of one combination of values. */
export interface Verdict {
  /** The newest verdict on it, proven by its evidence. */
  attempt: Attempt;
  summary: RecordSummary;
  record: FactoryRecord;
  values: Readonly<Record<string, string>>;
  failed: boolean;
}

/** A combination that passed and failed although nothing differed. */
export interface Flaky {
  cell_id: string;
  verdict_key: string;
  passed: number;
  failed: number;
  /** Ids of its tests that passed in one attempt and failed in another; empty if it never came to them. */
  tests: string[];
  /** Newest first. */
  records: string[];
}

/** Why combinations, or attempts, say nothing about causes. */
export interface LeftOut {
  /** Attempts that came to no verdict. */
  error: number;
  /** Attempts of the old form, or at the same files in other layers. */
  other: number;
  /** Combinations whose files, tests or policy are no longer what they were. */
  stale: number;
  /** Combinations whose evidence was pruned, or whose later records are missing. */
  incomplete: number;
  /** Combinations whose newest record cannot be believed. */
  unbelievable: number;
  /** Combinations that passed and failed although nothing differed. */
  flaky: number;
}

export interface Verdicts {
  verdicts: Verdict[];
  flaky: Flaky[];
  left_out: LeftOut;
  /** Records that cannot be believed, with what is wrong. */
  problems: { record: string; what: string }[];
  /** All attempts with a verdict by combination, the newest first, whatever their files were. */
  history: Map<string, Told[]>;
}

/** An attempt, and what the list of records says about it. */
export interface Told {
  attempt: Attempt;
  summary: RecordSummary;
}

/** How many of a combination's newest keys are looked at for the one that it has today. */
const MOST_KEYS = 20;

/** What a record's combination is made of, by the names that rules have for it. */
export function valuesIn({
  fragments,
  platform,
  base,
  args,
  template,
}: Pick<RecordSummary, "fragments" | "platform" | "base" | "args" | "template">): Record<string, string> {
  return {
    ...fragments,
    ...Object.fromEntries(Object.entries(args).map(([name, value]) => [`args.${name}`, valueText(value)])),
    template,
    platform,
    base,
  };
}

function isRecord(record: FactoryRecord | FactoryRecord1): record is FactoryRecord {
  return record.schema_version === 2;
}

/** The tests of some attempts that passed in one and failed in another. */
function differingTests(records: readonly FactoryRecord[]): string[] {
  const seen = new Map<string, Set<string>>();
  for (const { tests } of records)
    for (const { id, status } of tests) seen.set(id, (seen.get(id) ?? new Set()).add(status));
  return [...seen].flatMap(([id, statuses]) => (statuses.has("pass") && statuses.has("fail") ? [id] : []));
}

/**
 * What is known of each combination of a manifest by the rules of reuse: the newest verdict on it counts, if its evidence
 * proves it, nothing later is missing, and it tells of the files, the tests and the policy of today. An error is no verdict. A
 * combination with a pass and a fail under one key proves neither.
 * @param summaries of the manifest's records
 */
export async function verdictsOf(
  manifestId: string,
  {
    attempts,
    summaries,
    isCurrent,
  }: {
    attempts: Attempts;
    summaries: readonly RecordSummary[];
    isCurrent: (record: FactoryRecord) => boolean;
  },
): Promise<Verdicts> {
  const left_out: LeftOut = { error: 0, other: 0, stale: 0, incomplete: 0, unbelievable: 0, flaky: 0 };
  const problems: Verdicts["problems"] = [];
  const byId = new Map(summaries.map((one) => [one.record_id, one]));
  const history: Verdicts["history"] = new Map();
  for (const attempt of attempts.ofManifest(manifestId)) {
    const summary = byId.get(attempt.record_id);
    if (attempt.status === "error") left_out.error += 1;
    else if (!attempt.proves || !summary) left_out.other += 1;
    else {
      const key = canonicalJson(valuesIn(summary));
      const known = history.get(key);
      if (known) known.push({ attempt, summary });
      else history.set(key, [{ attempt, summary }]);
    }
  }

  /** The record of an attempt that can be believed; null for all others, which are named. */
  const believed = async (attempt: Attempt): Promise<FactoryRecord | null> => {
    const doubt = (what: string) => {
      problems.push({ record: attempts.nameOf(attempt), what });
      return null;
    };
    const [problem] = await attempts.problems(attempt);
    if (problem !== undefined) return doubt(problem);
    try {
      const record = await attempts.read(attempt);
      return isRecord(record) ? record : doubt("a record of the old form proves nothing");
    } catch (error) {
      if (error instanceof FactoryError) return doubt(error.message);
      throw error;
    }
  };

  /** The newest attempt at a combination that tells of what the files say today. */
  const currentOf = async (told: readonly Told[]): Promise<Told | null> => {
    const keys = new Set<string>();
    for (const one of told) {
      const { verdict_key } = one.attempt;
      if (keys.has(verdict_key)) continue;
      if (keys.size >= MOST_KEYS) break;
      keys.add(verdict_key);
      try {
        const record = await attempts.read(one.attempt);
        if (isRecord(record) && isCurrent(record)) return one;
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        problems.push({ record: attempts.nameOf(one.attempt), what: error.message });
      }
    }
    return null;
  };

  const verdicts: Verdict[] = [];
  const flaky: Flaky[] = [];
  for (const told of history.values()) {
    const newest = await currentOf(told);
    if (!newest) {
      left_out.stale += 1;
      continue;
    }
    const { attempt, summary } = newest;
    if (attempts.lost(attempt) !== null || attempts.pruned(attempt) !== null) {
      left_out.incomplete += 1;
      continue;
    }
    const record = await believed(attempt);
    if (!record) {
      left_out.unbelievable += 1;
      continue;
    }
    const same = told.filter((one) => one !== newest && one.attempt.verdict_key === attempt.verdict_key);
    const records = [record];
    const counted = [attempt];
    if (same.some((one) => one.attempt.status !== attempt.status))
      for (const one of same) {
        if (attempts.pruned(one.attempt) !== null) continue;
        const other = await believed(one.attempt);
        if (other) records.push(other);
        if (other) counted.push(one.attempt);
      }
    const failed = counted.filter(({ status }) => status === "fail").length;
    if (failed > 0 && failed < counted.length) {
      left_out.flaky += 1;
      flaky.push({
        cell_id: attempt.cell_id,
        verdict_key: attempt.verdict_key,
        passed: counted.length - failed,
        failed,
        tests: differingTests(records),
        records: counted.map(({ record_id }) => record_id),
      });
      continue;
    }
    verdicts.push({ attempt, summary, record, values: valuesIn(summary), failed: failed > 0 });
  }
  return { verdicts, flaky, left_out, problems, history };
}
