import { visible } from "../model/visible.ts";

/** A text in XML or HTML, in an element or an attribute. What cannot be seen is written as an escape. */
export function xmlText(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return visible(text).replace(/[<>&"']/g, (sign) => names[sign] ?? sign);
}

/** Signs that mean nothing in Markdown, and letters of any script. */
const PLAIN = /^[\p{L}\p{N} .,/+=()✔✘≈?:-]$/u;

/**
 * A text in a cell of a table in Markdown: it is shown as it is. It ends no cell, table or comment, is no link, address, mention or
 * element, and sets nothing in another style.
 */
export function markdownCell(text: string): string {
  const shown = visible(text);
  let cell = "";
  let before = "";
  const all = [...shown];
  for (const [at, sign] of all.entries()) {
    // `_` only within a word, and `:` only where it begins no address.
    const isPlain =
      PLAIN.test(sign) ||
      (sign === "_" && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(all[at + 1] ?? ""));
    const isAddress = (sign === ":" && all[at + 1] === "/") || (sign === "." && /www$/i.test(cell));
    cell += isPlain && !isAddress ? sign : `&#${sign.codePointAt(0) ?? 63};`;
    before = sign;
  }
  return cell;
}
