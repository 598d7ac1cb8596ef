import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import type { MatrixCell } from "../model/proof-matrix.ts";
import type { Made } from "./remade.ts";

/** A cell, what it is made of, and what is known of it. */
export interface KnownCell {
  cell: MatrixCell;
  made: Made;
  /** `id@version`. */
  template: string;
}

/** One combination on every platform that was asked for. */
export interface Combination extends Omit<Made, "platform"> {
  template: string;
  /** By platform, in the order that was asked for; null where nobody plans it. */
  cells: { platform: string; cell: MatrixCell | null }[];
}

export interface Choice {
  /** The newest combination that is proven on every platform; null if there is none. */
  found: Combination | null;
  /** The newest combination that nothing speaks against, if it is newer than `found`: what is missing is known to be so. */
  next: Combination | null;
  /** Combinations that are newer than `found` and fail on some platform, newest first. */
  failing: Combination[];
}

export interface ChoiceRequest {
  platforms: readonly string[];
  /** Fragments by weight: one that comes first decides which combination is newer. */
  order: readonly string[];
  compare: (fragment: string) => (a: string, b: string) => number;
  /** Whether it can be built on a platform where nobody plans it. */
  canMake: (made: Made) => boolean;
}

const isProven = ({ cells }: Combination): boolean => cells.every(({ cell }) => cell?.state === "proven");
const isFailing = ({ cells }: Combination): boolean =>
  cells.some(({ cell }) => cell?.state === "failing" || cell?.state === "expected failing");

/** Chooses among known cells of one manifest. Of two cells that are the same, the one that is proven counts. */
export function chooseCombination(
  known: readonly KnownCell[],
  { platforms, order, compare, canMake }: ChoiceRequest,
): Choice {
  const groups = new Map<string, { like: KnownCell; on: Map<string, MatrixCell> }>();
  for (const one of known) {
    const { fragments, base, args, platform } = one.made;
    const key = canonicalJson([fragments, base, args, one.template]);
    const group = groups.get(key) ?? { like: one, on: new Map<string, MatrixCell>() };
    groups.set(key, group);
    const before = group.on.get(platform);
    if (!before || (before.state !== "proven" && one.cell.state === "proven"))
      group.on.set(platform, one.cell);
  }
  const combinations = [...groups].map(([key, { like, on }]) => {
    const { fragments, base, args } = like.made;
    const cells = platforms.map((platform) => ({ platform, cell: on.get(platform) ?? null }));
    return { key, one: { fragments, base, args, template: like.template, cells } satisfies Combination };
  });
  combinations.sort((a, b) => {
    for (const name of order) {
      const [x, y] = [a.one.fragments[name], b.one.fragments[name]];
      const newer =
        x === undefined || y === undefined
          ? Number(x === undefined) - Number(y === undefined)
          : compare(name)(y, x);
      if (newer !== 0) return newer;
    }
    return compareText(a.key, b.key);
  });
  const all = combinations.map(({ one }) => one);
  const at = all.findIndex(isProven);
  const newer = at < 0 ? all : all.slice(0, at);
  const next = newer.find(
    (one) =>
      !isFailing(one) &&
      one.cells.every(({ platform, cell }) => cell !== null || canMake({ ...one, platform })),
  );
  return { found: all[at] ?? null, next: next ?? null, failing: newer.filter(isFailing) };
}
