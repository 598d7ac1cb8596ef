import { compareText } from "./compare.ts";

/*
 * Versions of Alpine's packages, as apk-tools compares them: numbers between dots, a letter, suffixes such as `_rc1` and `_p2`,
 * and a revision `-r3`. The first number is compared as one; a later one that begins with 0 as a fraction.
 */

const FORM = /^(\d+(?:\.\d+)*)([a-z]?)((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;
/** Before the version itself, then after it. */
const BEFORE = ["alpha", "beta", "pre", "rc"];
const AFTER = ["cvs", "svn", "git", "hg", "p"];

interface Parts {
  numbers: string[];
  letter: string;
  suffixes: [rank: number, number: number][];
  revision: number;
}

function partsOf(version: string): Parts | undefined {
  const [, numbers, letter = "", suffixes = "", revision = "0"] = FORM.exec(version) ?? [];
  if (numbers === undefined) return undefined;
  const ranked = [...suffixes.matchAll(/_([a-z]+)(\d*)/g)].map(
    ([, name = "", number = ""]): [number, number] => {
      const rank = BEFORE.includes(name) ? BEFORE.indexOf(name) - BEFORE.length : AFTER.indexOf(name) + 1;
      return [BEFORE.includes(name) || AFTER.includes(name) ? rank : Number.NaN, Number(number)];
    },
  );
  if (ranked.some(([rank]) => Number.isNaN(rank))) return undefined;
  return { numbers: numbers.split("."), letter, suffixes: ranked, revision: Number(revision) };
}

function compareNumbers(a: string, b: string, first: boolean): number {
  if (!first && (a.startsWith("0") || b.startsWith("0")))
    return compareText(a.replace(/0+$/, ""), b.replace(/0+$/, ""));
  const [own, other] = [BigInt(a), BigInt(b)];
  return own < other ? -1 : own > other ? 1 : 0;
}

/** Whether a version comes before (negative), is (0) or comes after another one; null if one of them has no such form. */
export function compareAlpine(a: string, b: string): number | null {
  const [own, other] = [partsOf(a), partsOf(b)];
  if (!own || !other) return null;
  for (let at = 0; at < Math.max(own.numbers.length, other.numbers.length); at += 1) {
    const [left, right] = [own.numbers[at], other.numbers[at]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const difference = compareNumbers(left, right, at === 0);
    if (difference !== 0) return difference;
  }
  if (own.letter !== other.letter) return compareText(own.letter, other.letter);
  for (let at = 0; at < Math.max(own.suffixes.length, other.suffixes.length); at += 1) {
    const [[rank, number], [otherRank, otherNumber]] = [
      own.suffixes[at] ?? [0, 0],
      other.suffixes[at] ?? [0, 0],
    ];
    if (rank !== otherRank) return rank - otherRank;
    if (number !== otherNumber) return number - otherNumber;
  }
  return own.revision - other.revision;
}
