import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explain } from "../../src/causes/explanation.ts";
import { leastCover } from "../../src/causes/least-cover.ts";
import { type Outcome, outcomesOf, valuesOf } from "../../src/causes/outcomes.ts";
import { probeFor } from "../../src/causes/probe.ts";

type Values = Record<string, string>;

/** Every combination of some factors with so many values each. */
function product(sizes: readonly number[]): Values[] {
  return sizes.reduce<Values[]>(
    (rows, size, factor) =>
      rows.flatMap((row) => Array.from({ length: size }, (_, at) => ({ ...row, [`f${factor}`]: `v${at}` }))),
    [{}],
  );
}

const holds = (row: Values, part: Values) =>
  Object.entries(part).every(([name, value]) => row[name] === value);
const failing =
  (planted: readonly Values[]) =>
  (values: Values): Outcome => ({
    values,
    failed: planted.some((one) => holds(values, one)),
  });
const keyOf = (part: Readonly<Record<string, string | null>>) =>
  Object.entries(part)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(" ");
const found = (all: readonly Outcome[]) => {
  const outcomes = outcomesOf(all);
  const { causes, smallest } = explain(outcomes);
  return {
    causes,
    smallest,
    outcomes,
    keys: causes.map(({ values }) => keyOf(valuesOf(outcomes, values))).sort(),
  };
};

/** Factors, and interactions of one to three of them, none a part of another. */
const matrices = fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 3, maxLength: 4 }).chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    planted: fc.array(
      fc
        .uniqueArray(fc.nat(sizes.length - 1), { minLength: 1, maxLength: 3 })
        .chain((factors) =>
          fc
            .tuple(...factors.map((factor) => fc.nat((sizes[factor] ?? 1) - 1)))
            .map((values): Values =>
              Object.fromEntries(factors.map((factor, at) => [`f${factor}`, `v${values[at]}`])),
            ),
        ),
      { minLength: 1, maxLength: 3 },
    ),
    seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    share: fc.double({ min: 0.1, max: 1, noNaN: true }),
  }),
);

/** The plainest way: every combination of up to three values that some failing row has and no passing one. */
function everySuspect(all: readonly Outcome[]): { part: Values; rows: number[] }[] {
  const names = [...new Set(all.flatMap(({ values }) => Object.keys(values)))].filter(
    (name) => new Set(all.map(({ values }) => values[name])).size > 1,
  );
  const failed = all.filter((one) => one.failed);
  const passed = all.filter((one) => !one.failed);
  const sets = names.flatMap((a, i) => [
    [a],
    ...names.slice(i + 1).flatMap((b, j) => [[a, b], ...names.slice(i + j + 2).map((c) => [a, b, c])]),
  ]);
  const parts = new Map<string, { part: Values; rows: number[] }>();
  for (const set of sets)
    for (const { values } of failed) {
      const part = Object.fromEntries(set.map((name) => [name, values[name] ?? ""]));
      if (parts.has(keyOf(part)) || passed.some((one) => holds(one.values, part))) continue;
      const rows = failed.flatMap((one, at) => (holds(one.values, part) ? [at] : []));
      parts.set(keyOf(part), { part, rows });
    }
  return [...parts.values()];
}

const costOf = (parts: readonly (readonly string[])[]) =>
  parts.reduce((sum, part) => sum + part.length * 4096 + 1, 0);

/** All explanations of the least cost: fewest values, then fewest combinations. @param known the cost of some explanation */
function leastExplanations(all: readonly Outcome[], known: number): string[][] {
  const suspects = everySuspect(all);
  const failed = all.filter((one) => one.failed).length;
  let least = known;
  let best: string[][] = [];
  const search = (parts: readonly Values[], covered: ReadonlySet<number>) => {
    const cost = costOf(parts.map((part) => Object.keys(part)));
    const open = Array.from({ length: failed }, (_, at) => at).find((at) => !covered.has(at));
    if (cost + (open === undefined ? 0 : 4097) > least) return;
    if (open === undefined) {
      if (cost < least) [least, best] = [cost, []];
      best.push(parts.map(keyOf).sort());
      return;
    }
    for (const { part, rows } of suspects)
      if (rows.includes(open)) search([...parts, part], new Set([...covered, ...rows]));
  };
  search([], new Set());
  return [...new Map(best.map((one) => [one.join(), one])).values()];
}

describe("the smallest explanation", () => {
  it("is what was planted, no more and no fewer, wherever the records determine it", () => {
    let determined = 0;
    fc.assert(
      fc.property(matrices, ({ sizes, planted, seed, share }) => {
        const all = product(sizes)
          .filter(() => seed.next().value <= share)
          .map(failing(planted));
        fc.pre(all.some((one) => one.failed) && all.some((one) => !one.failed));
        const { keys, smallest, causes } = found(all);
        const least = leastExplanations(all, costOf(causes.map(({ values }) => values.map(String))));
        expect(smallest).toBe(true);
        expect(least.map((one) => one.join())).toContain(keys.join());
        if (least.length > 1) return;
        determined += 1;
        expect(keys).toEqual(least[0]);
      }),
      { numRuns: 300 },
    );
    expect(determined).toBeGreaterThan(50);
  });

  it("of a whole matrix is each planted combination that none is a part of", () => {
    const whole = matrices.filter(({ sizes }) => sizes.every((size) => size > 2));
    let exact = 0;
    fc.assert(
      fc.property(whole, ({ sizes, planted }) => {
        const all = product(sizes).map(failing(planted));
        fc.pre(all.some((one) => !one.failed));
        const { keys, causes } = found(all);
        const least = leastExplanations(all, costOf(causes.map(({ values }) => values.map(String))));
        fc.pre(least.length === 1);
        const minimal = [
          ...new Set(
            planted
              .filter(
                (one) =>
                  !planted.some((other) => other !== one && holds(one, other) && keyOf(one) !== keyOf(other)),
              )
              .map(keyOf),
          ),
        ].sort();
        // Values that fail by themselves in every row may together be one smaller reason.
        fc.pre(least[0]?.join() === minimal.join());
        exact += 1;
        expect(keys).toEqual(minimal);
        for (const { own, possible } of causes) {
          expect(own.length).toBeGreaterThan(0);
          expect(possible.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    );
    expect(exact).toBeGreaterThan(30);
  });

  it("explains each failure, and contradicts no pass, whatever the verdicts are", () => {
    const any = fc.array(
      fc.record({ values: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(2), fc.nat(2)), failed: fc.boolean() }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(any, (rows) => {
        const unique = new Map(rows.map((row) => [row.values.join(), row]));
        const all = [...unique.values()].map(({ values, failed }): Outcome => ({
          values: Object.fromEntries(values.map((value, at) => [`f${at}`, `v${value}`])),
          failed,
        }));
        const { outcomes, causes } = found(all);
        for (const row of outcomes.failing)
          expect(causes.some(({ values }) => values.every((id) => row.includes(id)))).toBe(true);
        for (const { possible } of causes)
          for (const values of possible)
            for (const row of outcomes.passing) expect(values.every((id) => row.includes(id))).toBe(false);
      }),
    );
  });

  it("is that everything fails, where nothing passed, and nothing where nothing failed", () => {
    const rows = product([2, 2]);
    expect(found(rows.map((values) => ({ values, failed: true }))).keys).toEqual([""]);
    expect(found(rows.map((values) => ({ values, failed: false }))).keys).toEqual([]);
    expect(found([]).keys).toEqual([]);
  });

  it("has as many values as it takes", () => {
    const part = { f0: "v0", f1: "v0", f2: "v0", f3: "v0" };
    const { keys, causes } = found(product([3, 3, 3, 3]).map(failing([part])));
    expect(keys).toEqual([keyOf(part)]);
    expect(causes[0]?.possible).toHaveLength(1);
  });

  it("names a fragment that is missing", () => {
    const all: Outcome[] = [
      { values: { core: "1", light: "1" }, failed: false },
      { values: { core: "2", light: "1" }, failed: false },
      { values: { core: "2" }, failed: true },
      { values: { core: "1" }, failed: true },
    ];
    expect(found(all).keys).toEqual(["light=null"]);
  });
});

describe("a cover", () => {
  it("is one of the least cost", () => {
    const sets = fc.array(
      fc.record({ rows: fc.uniqueArray(fc.nat(7), { minLength: 1 }), cost: fc.integer({ min: 1, max: 4 }) }),
      { minLength: 1, maxLength: 9 },
    );
    fc.assert(
      fc.property(sets, (given) => {
        const rows = new Set(given.flatMap((one) => one.rows));
        const costs = given.map(({ cost }) => cost);
        const { chosen, exact } = leastCover(
          given.map((one) => [...one.rows].sort((a, b) => a - b)),
          costs,
        );
        const costOf = (some: readonly number[]) => some.reduce((sum, at) => sum + (costs[at] ?? 0), 0);
        let least = Infinity;
        for (let mask = 0; mask < 2 ** given.length; mask += 1) {
          const some = given.flatMap((_, at) => ((mask >> at) & 1 ? [at] : []));
          if (new Set(some.flatMap((at) => given[at]?.rows ?? [])).size === rows.size)
            least = Math.min(least, costOf(some));
        }
        expect(exact).toBe(true);
        expect(new Set(chosen.flatMap((at) => given[at]?.rows ?? []))).toEqual(rows);
        expect(costOf(chosen)).toBe(least);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a probe", () => {
  it("leaves at most half where some untried combination does, and ends at what was planted", () => {
    fc.assert(
      fc.property(
        matrices.filter(({ planted }) => planted.length === 1),
        fc.nat(),
        ({ sizes, planted }, at) => {
          const universe = product(sizes).map(failing(planted));
          const failed = universe.filter((one) => one.failed);
          const passed = universe.filter((one) => !one.failed);
          fc.pre(failed.length > 0 && passed.length > 0);
          const first = failed[at % failed.length];
          const second = passed[at % passed.length];
          const known = [...(first ? [first] : []), ...(second ? [second] : [])];
          // What is never tried keeps its value, so that every factor is known from the start.
          for (let probes = 0; ; probes += 1) {
            const { causes, outcomes } = found(known);
            const open = causes.filter(({ possible }) => possible.length > 1);
            const untried = universe.filter(
              ({ values }) => !known.some((one) => keyOf(one.values) === keyOf(values)),
            );
            const rows = untried.map(({ values }) =>
              outcomes.factors.map(({ name, values: texts }, factor) => {
                const value = texts.indexOf(values[name] ?? "");
                return value < 0 ? -1 : (outcomes.start[factor] ?? 0) + value;
              }),
            );
            let next: Outcome | undefined;
            for (const cause of open) {
              const others = causes.filter((one) => one !== cause);
              const probe = probeFor(outcomes, { cause, others, offered: rows, isAllowed: () => false });
              if (!probe) continue;
              const { inside, of } = probe;
              expect(inside).toBeGreaterThan(0);
              expect(inside).toBeLessThan(of);
              const best = Math.min(
                ...rows
                  .filter((row) => others.every(({ values }) => !values.every((id) => row.includes(id))))
                  .map((row) => cause.possible.filter((one) => one.every((id) => row.includes(id))).length)
                  .map((count) => Math.max(count, of - count)),
              );
              expect(Math.max(inside, of - inside)).toBe(best);
              next = untried[probe.offered ?? -1];
              break;
            }
            if (!next) {
              // Nothing that could be tried tells more: what was planted explains all that was seen.
              expect(causes).toHaveLength(1);
              const possible = causes[0]?.possible.map((one) => keyOf(valuesOf(outcomes, one))) ?? [];
              const part = Object.entries(planted[0] ?? {}).filter(([name]) =>
                outcomes.factors.some((one) => one.name === name),
              );
              expect(possible).toContain(keyOf(Object.fromEntries(part)));
              return;
            }
            known.push(next);
            expect(probes).toBeLessThan(universe.length);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("needs about as many tries as there are halves, where all factors differ", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 12 }), fc.nat(), fc.nat(), (factors, a, b) => {
        const [one, other] = [a % factors, b % factors];
        const isBad = (values: Values) => values[`f${one}`] === "bad" && values[`f${other}`] === "bad";
        const row = (of: (factor: number) => string): Values =>
          Object.fromEntries(Array.from({ length: factors }, (_, at) => [`f${at}`, of(at)]));
        const known: Outcome[] = [
          { values: row(() => "bad"), failed: true },
          { values: row(() => "good"), failed: false },
        ];
        let first = 0;
        for (let tries = 0; ; tries += 1) {
          const { causes, outcomes, keys } = found(known);
          const [cause] = causes;
          if (!cause) throw new Error("there is no cause");
          first ||= cause.possible.length;
          const probe = probeFor(outcomes, { cause, others: [], offered: [], isAllowed: () => true });
          if (!probe) {
            expect(cause.possible).toHaveLength(1);
            expect(keys).toEqual([
              keyOf(
                Object.fromEntries([
                  [`f${one}`, "bad"],
                  [`f${other}`, "bad"],
                ]),
              ),
            ]);
            return;
          }
          const values = valuesOf(outcomes, probe.row) as Values;
          known.push({ values, failed: isBad(values) });
          expect(tries).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(first)) + 1);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("10,000 records", () => {
  it("are explained exactly", { timeout: 60_000 }, () => {
    const planted: Values[] = [{ f0: "v3" }, { f1: "v1", f2: "v2" }, { f3: "v4", f4: "v0", f5: "v1" }];
    let state = 7;
    // mulberry32
    const random = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const rows = new Map<string, Values>();
    while (rows.size < 10_000) {
      const values: Values = {};
      for (let at = 0; at < 12; at += 1) values[`f${at}`] = `v${Math.floor(random() * 5)}`;
      rows.set(keyOf(values), values);
    }
    const { keys, causes, smallest } = found([...rows.values()].map(failing(planted)));
    expect(keys).toEqual(planted.map(keyOf).sort());
    expect(causes.map(({ possible }) => possible.length)).toEqual([1, 1, 1]);
    expect(smallest).toBe(true);
  });
});
