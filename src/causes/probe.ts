import type { Cause } from "./explanation.ts";
import type { Outcomes } from "./outcomes.ts";

/** A combination that was not tried, whose verdict leaves as few as possible of what could be a cause. */
export interface Probe {
  /** A value's id by factor; -1 for a value that no outcome has. */
  row: readonly number[];
  /** The index of the offered row that it is; null if it is made of two rows that were tried. */
  offered: number | null;
  /** How many of the possible combinations it has: they are left if it fails, the others if it passes. */
  inside: number;
  of: number;
}

export interface ProbeRequest {
  /** What could be the cause; more than one. */
  cause: Cause;
  /** The other causes of the explanation: a probe has none of them. */
  others: readonly Cause[];
  /** Rows that can be tried as they are, by their ids. */
  offered: readonly (readonly number[])[];
  /** Whether a row that is offered by nobody could be tried. */
  isAllowed: (row: readonly number[]) => boolean;
}

/** How many passing rows a failing one is mixed with, and how many mixes are asked about. */
const MOST_MIXED = 100;
const MOST_ASKED = 200;

function has(row: ReadonlySet<number>, values: readonly number[]): boolean {
  return values.every((id) => row.has(id));
}

/**
 * The untried combination that splits what could be a cause most evenly. Beside what is offered, it looks at the ways from a
 * failing row to a passing one: where one value after the other is exchanged, somewhere on the way the failure ends
 * [after Zeller, Hildebrandt: Simplifying and isolating failure-inducing input, 2002].
 * @returns null if none tells anything
 */
export function probeFor(outcomes: Outcomes, request: ProbeRequest): Probe | null {
  const { passing, failing } = outcomes;
  const { cause, others, offered, isAllowed } = request;
  const { possible, own } = cause;
  const tried = new Set([...passing, ...failing].map((row) => row.join()));
  const of = possible.length;
  const insideOf = (row: readonly number[]) => {
    const ids = new Set(row);
    return possible.reduce((count, values) => count + Number(has(ids, values)), 0);
  };
  const isSound = (row: readonly number[]) => {
    if (tried.has(row.join())) return false;
    const ids = new Set(row);
    return others.every(({ values }) => values.length === 0 || !has(ids, values));
  };
  const left = (inside: number) => Math.max(inside, of - inside);

  let best: Probe | null = null;
  for (const [at, row] of offered.entries()) {
    if (!isSound(row)) continue;
    const inside = insideOf(row);
    if (left(inside) < (best ? left(best.inside) : of)) best = { row, offered: at, inside, of };
  }

  const made = new Map<string, Omit<Probe, "offered">>();
  const from = failing[own[0] ?? -1] ?? [];
  const distance = (row: readonly number[]) => row.filter((id, at) => id !== from[at]).length;
  const near = [...passing].sort((a, b) => distance(a) - distance(b)).slice(0, MOST_MIXED);
  for (const to of near) {
    let row = from;
    let open = [...to.keys()].filter((at) => to[at] !== from[at]);
    while (open.length > 1) {
      // The exchange that brings what is left closest to a half.
      const next = open
        .map((at) => {
          const other = row.map((id, index) => (index === at ? (to[at] ?? id) : id));
          return { at, other, inside: insideOf(other) };
        })
        .reduce((a, b) => (left(b.inside) < left(a.inside) ? b : a));
      row = next.other;
      open = open.filter((at) => at !== next.at);
      if (isSound(row)) made.set(row.join(), { row, inside: next.inside, of });
      if (next.inside * 2 <= of) break;
    }
  }
  const ranked = [...made.values()]
    .filter(({ inside }) => left(inside) < (best ? left(best.inside) : of))
    .sort((a, b) => left(a.inside) - left(b.inside) || distance(a.row) - distance(b.row));
  for (const one of ranked.slice(0, MOST_ASKED)) if (isAllowed(one.row)) return { ...one, offered: null };
  return best;
}
