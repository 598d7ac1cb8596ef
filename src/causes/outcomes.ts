import { compareText } from "../model/compare.ts";

/** One combination of values, by factor, and what came of it. */
export interface Outcome {
  /** A factor that it does not have is missing. */
  values: Readonly<Record<string, string>>;
  failed: boolean;
}

/** Something that has several values among the outcomes. */
interface Factor {
  name: string;
  values: string[];
}

/** Outcomes as numbers: each value of each factor has an id of its own. Equal combinations are one row. */
export interface Outcomes {
  factors: readonly Factor[];
  /** The id of each factor's first value, and of what follows the last factor. */
  start: readonly number[];
  /** The factor of a value, by id. */
  factorOf: readonly number[];
  /** The ids of each row's values, one for each factor. */
  passing: readonly (readonly number[])[];
  failing: readonly (readonly number[])[];
  /** By the index of an outcome that was given, its row among those that failed; -1 if it passed. */
  failingRow: readonly number[];
}

/** What a combination has of a factor that it does not have. */
const NONE = "";

/**
 * Lays outcomes out. What has one value in all of them is no factor: nothing can be said of it.
 * @param outcomes no combination both passed and failed
 * @param compare orders the values of a factor
 */
export function outcomesOf(
  outcomes: readonly Outcome[],
  compare: (factor: string) => (a: string, b: string) => number = () => compareText,
): Outcomes {
  const found = new Map<string, Set<string>>();
  for (const { values } of outcomes)
    for (const [name, value] of Object.entries(values)) {
      const known = found.get(name);
      if (known) known.add(value);
      else found.set(name, new Set([value]));
    }
  const factors: Factor[] = [];
  for (const [name, values] of [...found].sort(([a], [b]) => compareText(a, b))) {
    if (outcomes.some((one) => one.values[name] === undefined)) values.add(NONE);
    if (values.size > 1) factors.push({ name, values: [...values].sort(compare(name)) });
  }
  const start = [0];
  for (const { values } of factors) start.push((start.at(-1) ?? 0) + values.length);
  const factorOf = factors.flatMap(({ values }, factor) => values.map(() => factor));
  const ids = factors.map(
    ({ values }, factor) => new Map(values.map((value, at) => [value, (start[factor] ?? 0) + at])),
  );
  const passing = new Map<string, number[]>();
  const failing = new Map<string, number[]>();
  const rows: string[] = [];
  for (const { values, failed } of outcomes) {
    const row = factors.map(({ name }, factor) => ids[factor]?.get(values[name] ?? NONE) ?? 0);
    const key = row.join();
    rows.push(failed ? key : "");
    (failed ? failing : passing).set(key, row);
  }
  const order = new Map([...failing.keys()].map((key, at) => [key, at]));
  return {
    factors,
    start,
    factorOf,
    passing: [...passing.values()],
    failing: [...failing.values()],
    failingRow: rows.map((key, at) => (outcomes[at]?.failed ? (order.get(key) ?? -1) : -1)),
  };
}

/** The values of ids, by factor; null for a factor that is not there. */
export function valuesOf({ factors, start, factorOf }: Outcomes, ids: readonly number[]) {
  return Object.fromEntries(
    ids.map((id) => {
      const factor = factorOf[id] ?? 0;
      const { name = "", values = [] } = factors[factor] ?? {};
      const value = values[id - (start[factor] ?? 0)] ?? NONE;
      return [name, value === NONE ? null : value] as const;
    }),
  );
}
