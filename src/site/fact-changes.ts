/** What two records are compared by, in a form that is small enough for each record of a site. */
export interface RecordFacts {
  id: string;
  cell: string;
  status: "pass" | "fail" | "error";
  expected: boolean;
  testedAt: string;
  /** Names and values of what went in. */
  inputs: [name: string, value: string][];
  fragments: [name: string, version: string, digest: string][];
  tests: [id: string, status: string][];
  /** Milliseconds by stage, and of all. */
  times: [stage: string, ms: number][];
  image: [name: string, value: string][];
  /** sha256 of the SBOM, in hex; null without one. */
  sbom: string | null;
}

/** A value on two sides; null where a side has none. */
export interface FactChange {
  name: string;
  from: string | null;
  to: string | null;
}

/** What differs between two records. */
export interface FactChanges {
  inputs: FactChange[];
  fragments: FactChange[];
  tests: FactChange[];
  image: FactChange[];
  /** Of every stage that a side has. */
  times: { name: string; from: number | null; to: number | null }[];
}

function namesOf<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])];
}

function changesOf(
  a: readonly (readonly [string, string])[],
  b: readonly (readonly [string, string])[],
): FactChange[] {
  const [before, after] = [new Map(a), new Map(b)];
  return namesOf(before, after)
    .map((name) => ({ name, from: before.get(name) ?? null, to: after.get(name) ?? null }))
    .filter(({ from, to }) => from !== to);
}

function fragmentChanges(a: RecordFacts["fragments"], b: RecordFacts["fragments"]): FactChange[] {
  const [before, after] = [a, b].map((all) => new Map(all.map(([name, ...rest]) => [name, rest] as const)));
  if (!before || !after) return [];
  return namesOf(before, after).flatMap((name): FactChange[] => {
    const [[from = null, one] = [], [to = null, other] = []] = [before.get(name), after.get(name)];
    if (from === to) return one === other ? [] : [{ name, from, to: `${to ?? ""}, with other files` }];
    return [{ name, from, to }];
  });
}

/** What differs from one record to another. */
export function factChanges(a: RecordFacts, b: RecordFacts): FactChanges {
  const [before, after] = [new Map(a.times), new Map(b.times)];
  return {
    inputs: changesOf(a.inputs, b.inputs),
    fragments: fragmentChanges(a.fragments, b.fragments),
    tests: changesOf(a.tests, b.tests),
    image: changesOf(a.image, b.image),
    times: namesOf(before, after).map((name) => ({
      name,
      from: before.get(name) ?? null,
      to: after.get(name) ?? null,
    })),
  };
}
