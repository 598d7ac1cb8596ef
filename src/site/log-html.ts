import { visible } from "../model/visible.ts";
import type { ShownRow } from "./terminal-screen.ts";

const NAMES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", "&": "&amp;" };

/** A text as the content of an element: no markup, and nothing that an eye cannot see. */
function content(text: string): string {
  return visible(text).replace(/[<>&]/g, (sign) => NAMES[sign] ?? sign);
}

/** Rows that are laid out together, only once they come into view. */
const TOGETHER = 200;

/**
 * Rows of a log as HTML, each an element whose id is that of its line (`L12`), so that its address can be shared. The text is all that
 * comes from the log: classes are our own words.
 */
export function rowsHtml(rows: readonly ShownRow[], from: number, to: number): string {
  const parts: string[] = [];
  const named = new Set<number>();
  for (let at = from; at < to; at += 1) {
    const row = rows[at];
    if (!row) break;
    if ((at - from) % TOGETHER === 0) parts.push(at === from ? "<div>" : "</div><div>");
    const { line, pieces } = row;
    parts.push(line === null || named.has(line) ? "<i>" : `<i id="L${line}">`);
    if (line !== null) named.add(line);
    for (const { classes, text } of pieces)
      parts.push(classes === "" ? content(text) : `<span class="${classes}">${content(text)}</span>`);
    parts.push("\n</i>");
  }
  if (parts.length > 0) parts.push("</div>");
  return parts.join("");
}
