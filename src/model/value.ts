import type { MapValue, Scalar, Value } from "../schemas/types.ts";
import { compareText } from "./compare.ts";
import { canonicalJson } from "./digest.ts";

/** Whether a value is a list. */
export function isList(value: Value): value is Scalar[] {
  return Array.isArray(value);
}

/** Whether a value is a map. */
export function isMap(value: Value): value is MapValue {
  return typeof value === "object" && !isList(value);
}

/** A value as text: a scalar as it is, a list or map as canonical JSON. Equal values have equal texts. */
export function valueText(value: Value): string {
  return typeof value === "object" ? canonicalJson(value) : String(value);
}

/** A value for ids, where a reader has to recognise it: `curl-git` for a list, `a-1-b-2` for a map. Not exact. */
export function valueSlug(value: Value): string {
  if (typeof value !== "object") return String(value);
  const parts = isList(value) ? value.map(String) : entriesOf(value).map(([key, one]) => `${key}-${one}`);
  return parts.join("-") || "none";
}

/** The entries of a map, sorted by key. */
export function entriesOf(value: MapValue): [string, Scalar][] {
  return Object.entries(value).sort(([a], [b]) => compareText(a, b));
}
