import type { Validate } from "./validate.ts";

type Json = { [key: string]: unknown } | unknown[];

/** More than this is refused in no real part: it is left out whole. */
const MOST_REMOVALS = 100;

/** Takes the value that a JSON pointer leads to out of a document; gives it back. */
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
 * Takes out of a document whatever the schema refuses, the smallest part each time, until the rest is valid.
 * @param keep JSON pointer to what has to stay: where the schema refuses that itself, or what it cannot do without,
 *   nothing can be kept
 * @param onRemoved told the name of each field that was taken out, as `supplier.contact.email`, and its value
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
