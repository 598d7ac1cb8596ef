import { BLANK_OR_COMMENT, CONTINUED, type Instruction } from "../stitch/dockerfile.ts";
import type { Original } from "./original.ts";

/** An instruction as it is written, and as one logical line. */
export interface Written {
  /** Its lines, joined, without its here-documents. */
  raw: string;
  /** The logical line: continued lines joined, comments between them dropped. */
  line: string;
  /** For each character of the logical line its place in `raw`. */
  at: readonly number[];
  /** Its here-documents with the lines that end them, each with a line break before it; empty without one. */
  heredocs: string;
}

/** A piece of the logical line. */
export interface Word {
  text: string;
  start: number;
  end: number;
}

/** How an instruction is written. */
export function writtenOf({ lines }: Original, { line, end, last }: Instruction): Written {
  const own = lines.slice(line - 1, end);
  let logical = "";
  const at: number[] = [];
  let start = 0;
  for (const [number, text] of own.entries()) {
    if (number === 0 || !BLANK_OR_COMMENT.test(text)) {
      const kept = CONTINUED.test(text) ? text.replace(CONTINUED, "$1") : text;
      for (let column = 0; column < kept.length; column += 1) at.push(start + column);
      logical += kept;
    }
    start += text.length + 1;
  }
  const body = lines.slice(end, last);
  return { raw: own.join("\n"), line: logical, at, heredocs: body.map((text) => `\n${text}`).join("") };
}

/** The words of the logical line between white space, in order. */
export function wordsOf({ line }: Pick<Written, "line">): Word[] {
  return [...line.matchAll(/\S+/g)].map(({ 0: text, index }) => {
    return { text, start: index, end: index + text.length };
  });
}
