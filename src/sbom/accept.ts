import type { Validate } from "./validate.ts";

type Json = { [key: string]: unknown } | unknown[];

/** With more refusals than this, a part is left out completely: no real part has as many. */
const MOST_REMOVALS = 100;

/** Removes the value at a JSON pointer from a document, and returns it. */
function remove(document: object, path: string): unknown {
  const keys = path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  let at = document as Json;
  for (const key of keys) at = (at as { [key: string]: Json })[key] ?? {};
  const value = (at as { [key: string]: unknown })[last];
  if (Array.isArray(at)) at.splice(Number(last), 1);
  else delete at[last];
  return value;
}

/**
 * Removes whatever the schema refuses from a document, the smallest part each time, until the rest is valid.
 * @param keep JSON pointer to what has to stay: if the schema refuses that itself, or a part that it needs, nothing can be
 *   kept
 * @param onRemoved gets the name of each removed field, such as `supplier.contact.email`, and its value
 * @returns whether the rest is valid
 */
export function acceptable(
  document: object,
  keep: string,
  validate: Validate,
  onRemoved: (field: string, value: unknown) => void,
): boolean {
  for (let removed = 0; removed <= MOST_REMOVALS; removed += 1) {
    const [first] = validate(document);
    if (!first) return true;
    if (!first.path.startsWith(`${keep}/`)) return false;
    const value = remove(document, first.path);
    const field = first.path
      .slice(keep.length + 1)
      .split("/")
      .filter((key) => !/^\d+$/.test(key));
    onRemoved(field.join("."), value);
  }
  return false;
}
