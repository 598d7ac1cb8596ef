import type { Scheme } from "./scheme.ts";

/** Numbers between `.` or `-`: `24.04`, `2024-11-05`, `24.04.1`. */
const FORM = /^\d{1,8}([.-]\d{1,8}){0,4}$/;
const COMPARATOR = /^(>=|<=|>|<|=|~)?\s*(\d{1,8}(?:[.-]\d{1,8}){0,4})$/;
const PREFIX = /^(\d{1,8}(?:[.-]\d{1,8}){0,3})[.-]\*$/;

function numbersOf(version: string): number[] {
  return version.split(/[.-]/).map(Number);
}

/** By each number in turn; of two versions that begin alike, the shorter one is earlier. */
function compare(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const at = left.findIndex((number, index) => number !== right[index]);
  if (at < 0) return left.length - right.length;
  return right.length <= at ? 1 : (left[at] ?? 0) - (right[at] ?? 0);
}

function startsWith(version: string, prefix: string): boolean {
  const own = numbersOf(version);
  return numbersOf(prefix).every((number, at) => number === own[at]);
}

const TESTS: Record<string, (version: string, wanted: string) => boolean> = {
  ">=": (version, wanted) => compare(version, wanted) >= 0,
  "<=": (version, wanted) => compare(version, wanted) <= 0,
  ">": (version, wanted) => compare(version, wanted) > 0,
  "<": (version, wanted) => compare(version, wanted) < 0,
  "=": (version, wanted) => compare(version, wanted) === 0,
  "~": startsWith,
};

type Test = (version: string) => boolean;

/** The test of one comparator: `>=24.04`, `24.*`; undefined if it is none. */
function testOf(text: string): Test | undefined {
  const [, prefix] = PREFIX.exec(text) ?? [];
  if (prefix !== undefined) return (version) => startsWith(version, prefix);
  const [, operator = "=", wanted] = COMPARATOR.exec(text) ?? [];
  return wanted === undefined ? undefined : (version) => TESTS[operator]?.(version, wanted) ?? false;
}

/** Comparators that all have to hold, between spaces or commas, in alternatives between `||`; undefined if one is wrong. */
function parse(range: string): Test[][] | undefined {
  const alternatives = range.split("||").map((part) =>
    part
      .replace(/(>=|<=|>|<|=|~)\s+/g, "$1")
      .split(/[\s,]+/)
      .filter((text) => text !== "")
      .map(testOf),
  );
  const isSound = alternatives.every((tests) => tests.length > 0 && !tests.includes(undefined));
  return isSound ? (alternatives as Test[][]) : undefined;
}

/** Calendar versions: dates and the like. There are no pre-releases. */
export const calver: Scheme = {
  name: "calver",
  isVersion: (text) => FORM.test(text),
  isRange: (text) => parse(text) !== undefined,
  compare,
  satisfies: (version, range) => parse(range)?.some((tests) => tests.every((test) => test(version))) ?? false,
  isRelease: () => true,
  minorOf: (version) => numbersOf(version).slice(0, 2).join("."),
  partsOf: (version) => version.split(/[.-]/),
  examples: '`"24.04"`, `24.*` or `">=2024-06-01 <2025"`',
};
