/*
 * JSON whose shape nobody promises: each of these gives an answer for any value.
 */

type Json = { readonly [key: string]: unknown };

/** The value if it is an object, else an empty one. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** The value if it is a list, else an empty one. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The trimmed text, else an empty one. JSON may hold halves of surrogate pairs, which no other text can. */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value.trim().replace(/\p{Surrogate}/gu, "\ufffd") : "";

/** The value of a JSON text; null if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
