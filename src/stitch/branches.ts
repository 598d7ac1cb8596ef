import { FactoryError, type Place } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { isList, isMap, entriesOf } from "../model/value.ts";
import type { Scalar, Value } from "../schemas/types.ts";

/** Whether a value counts as true: neither false, 0, an empty text, nor an empty list or map. */
export function truthy(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** The helpers for conditions. template-language.ts has checked how many values each gets, and of what kind. */
export const TEST_HELPERS: Record<string, (values: unknown[]) => boolean> = {
  eq: ([a, b]) => a === b,
  in: ([value, list]) => (list as unknown[]).includes(value),
  and: (values) => values.every(truthy),
  or: (values) => values.some(truthy),
  not: ([value]) => !truthy(value),
};

/** How often all the loops of one text may go round, and how long what they write may be. */
const MAX_ROUNDS = 10_000;
const MAX_LENGTH = 1024 * 1024;

/**
 * Writes something for each item of a list, or each entry of a map by its key.
 * @throws FactoryError TEMPLATE_TOO_LONG
 */
export function loop(
  value: unknown,
  how: {
    where: Place;
    /** Counts a round of any loop of the text. */
    count: () => number;
    write: (variables: { item: Scalar; key: string | undefined }) => string;
    /** What an empty list or map gives. */
    otherwise: () => string;
  },
): string {
  const given = value as Value;
  const entries: [string | undefined, Scalar][] = isMap(given)
    ? entriesOf(given)
    : isList(given)
      ? given.map((item) => [undefined, item])
      : [];
  if (entries.length === 0) return how.otherwise();
  const refuse = (what: string): never => {
    throw new FactoryError("TEMPLATE_TOO_LONG", what, {
      where: how.where,
      fix: "shorten the list, or nest fewer loops",
    });
  };
  let text = "";
  for (const [key, item] of entries) {
    if (how.count() > MAX_ROUNDS) refuse(`the loops go round more than ${grouped(MAX_ROUNDS)} times`);
    text += how.write({ item, key });
    if (text.length > MAX_LENGTH) refuse(`the loop writes more than ${grouped(MAX_LENGTH)} characters`);
  }
  return text;
}
