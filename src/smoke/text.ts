import { visible } from "../model/visible.ts";

/** The most characters of a text that stand in a result. */
export const SHOWN = 500;

/** The text in double quotes, unambiguous and cut to `limit` characters. */
export function quoted(text: string, limit: number = SHOWN): string {
  return `"${visible(cut(text, limit).replace(/["\\]/g, "\\$&"))}"`;
}

/** The text cut to `limit` characters: its start and its end, for an error mostly stands last. */
export function cut(text: string, limit: number = SHOWN): string {
  if (text.length <= limit) return text;
  const head = Math.floor(limit / 3);
  const tail = limit - head;
  return `${text.slice(0, head)} … ${text.length - limit} characters … ${text.slice(-tail)}`;
}
