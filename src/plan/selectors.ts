import { type Scheme, SCHEMES } from "../catalog/schemes/schemes.ts";
import { valueText } from "../model/value.ts";
import type { CellInclude, CellSelector, Value } from "../schemas/types.ts";
import type { Axis, Column } from "./axes.ts";

/** What a selector asks of one axis: a value, or any value of a list. */
export type Condition = Value | readonly Value[];

/** How the values of a fragment, or of a named axis, are compared. */
export type SchemeOf = (name: string) => Scheme;

/** The conditions of a selector, or the values of a cell, by axis name; `args` is taken apart. */
export function conditionsOf(cell: CellInclude): [string, Value][];
export function conditionsOf(selector: CellSelector): [string, Condition][];
export function conditionsOf({ args = {}, ...rest }: CellSelector): [string, Condition][] {
  return [
    ...(Object.entries(rest) as [string, Condition][]),
    ...Object.entries(args).map(([name, value]): [string, Condition] => [`args.${name}`, value]),
  ];
}

/** A condition as people write it. */
export function conditionText(condition: Condition): string {
  if (!Array.isArray(condition)) return valueText(condition as Value);
  return `[${(condition as Value[]).map(valueText).join(", ")}]`;
}

/** The comparisons of a range of whole numbers: `>=8000 <9000`. */
const COMPARISONS = /^\s*(?:(?:>=|<=|>|<)\s*-?\d{1,15}\s*)+$/;
const COMPARISON = /(>=|<=|>|<)\s*(-?\d{1,15})/g;

/** Whether a condition on an argument is a range of whole numbers. */
export function isNumberRange(condition: Condition): boolean {
  return typeof condition === "string" && COMPARISONS.test(condition);
}

function inNumbers(value: number, range: string): boolean {
  return [...range.matchAll(COMPARISON)].every(([, operator, text]) => {
    const bound = Number(text);
    if (operator === ">=") return value >= bound;
    if (operator === "<=") return value <= bound;
    return operator === ">" ? value > bound : value < bound;
  });
}

function argHolds(value: Value, condition: Condition): boolean {
  if (valueText(value) === valueText(condition as Value)) return true;
  // Of a list argument the whole list is meant; a list of lists names several.
  const nested = Array.isArray(condition) && condition.some((one) => typeof one === "object");
  if (Array.isArray(condition) && (nested || typeof value !== "object"))
    return (condition as Value[]).some((one) => argHolds(value, one));
  return typeof value === "number" && isNumberRange(condition) && inNumbers(value, condition as string);
}

/**
 * Whether a value of an axis fulfils a condition: a version has to be in a range, a whole number equal or in a range, a base
 * equal or begin like `debian:*`, anything else equal. Of a list, any item counts.
 */
export function holds(name: string, value: Value, condition: Condition, schemeOf: SchemeOf): boolean {
  if (name.startsWith("args.")) return argHolds(value, condition);
  if (Array.isArray(condition))
    return (condition as Value[]).some((one) => holds(name, value, one, schemeOf));
  const [text, wanted] = [valueText(value), valueText(condition as Value)];
  if (text === wanted) return true;
  if (name === "base") return wanted.endsWith("*") && text.startsWith(wanted.slice(0, -1));
  return name !== "platform" && schemeOf(name).satisfies(text, wanted, true);
}

/** A finder of axes by name, with the column that each is in. */
export function axisFinder(columns: readonly Column[]) {
  const found = new Map<string, { axis: Axis; column: number }>();
  for (const [column, { axes }] of columns.entries())
    for (const axis of axes) found.set(axis.name, { axis, column });
  return found;
}

/** The schemes of fragments, and of named axes: a value of those is only ever equal to itself. */
export function schemesOf(fragmentScheme: SchemeOf, columns: readonly Column[]): SchemeOf {
  const named = new Set(
    columns.flatMap(({ axes }) => axes.flatMap(({ kind, name }) => (kind === "named" ? name : []))),
  );
  return (name) => (named.has(name) ? SCHEMES.opaque : fragmentScheme(name));
}
