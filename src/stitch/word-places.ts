/** Whether a place is between white space, or at an end of the text. */
function isApart(text: string, from: number, to: number, after: RegExp): boolean {
  return (
    (from === 0 || /\s/.test(text[from - 1] ?? "")) && (to === text.length || after.test(text[to] ?? ""))
  );
}

/** Whether a place is outside of quotes, as BuildKit reads words. In doubt it is not. */
function isUnquoted(text: string, from: number): boolean {
  for (let at = 0; at < from; at += 1) {
    const char = text[at] ?? "";
    if (char === "\\") at += 1;
    else if (char === "'" || char === '"') {
      const end = text.indexOf(char, at + 1);
      // BuildKit's parsers differ in what a backslash means between quotes.
      if (end < 0 || end >= from || text.slice(at, end).includes("\\")) return false;
      at = end;
    }
  }
  return true;
}

/** Whether a place is all of the value in a `NAME=VALUE` of ENV, LABEL or ARG. */
export function isPairValue(text: string, from: number, to: number): boolean {
  const named = /(^|\s)([A-Za-z0-9_./-]+)=$/.exec(text.slice(0, from));
  return (
    named !== null && isApart(text, named.index + (named[1]?.length ?? 0), to, /\s/) && isUnquoted(text, from)
  );
}

/** Whether a place is a word of its own in an instruction that takes words. */
export function isPlainWord(text: string, from: number, to: number): boolean {
  return isApart(text, from, to, /\s/) && isUnquoted(text, from);
}

/** A `${…}` that has nothing inside but a name and, at most, plain text. */
const SIMPLE_BRACES = /\$\{[#!]?[A-Za-z0-9_]+(?::?[-+=?%#]{1,2}[A-Za-z0-9_./:*@,-]*)?\}/y;

/**
 * Where a double-quoted text of a shell ends: the index behind it; -1 if that is not clear, or the text has the place in it.
 * @param from behind the opening quote
 */
function endOfDouble(text: string, from: number, place: number): number {
  for (let at = from; at < place; at += 1) {
    const char = text[at] ?? "";
    if (char === '"') return at + 1;
    if (char === "\\") at += 1;
    else if (char === "`") return -1;
    else if (char === "$") {
      const next = endOfDollar(text, at, place);
      if (next < 0) return -1;
      at = next - 1;
    }
  }
  return -1;
}

/** Where what starts with `$` ends: the index behind it; -1 if that is not clear, or it has the place in it. */
function endOfDollar(text: string, from: number, place: number): number {
  if (text.startsWith("$(", from))
    return text.startsWith("$((", from) ? -1 : endOfCode(text, from + 2, place, ")");
  if (/^\$['"[]/.test(text.slice(from, from + 2))) return -1;
  if (!text.startsWith("${", from)) return from + 1;
  SIMPLE_BRACES.lastIndex = from;
  const [braces] = SIMPLE_BRACES.exec(text) ?? [];
  return braces === undefined ? -1 : from + braces.length;
}

/** What `endOfCode` gives if the place is in the code itself, outside of any quotes. */
const HERE = -2;

/**
 * Where a shell's commands end: the index behind `close`; -1 if that is not clear; HERE if the place is among them.
 * Arithmetic, backquotes, comments and `$'…'` are not followed: what is behind them is not clear.
 */
function endOfCode(text: string, from: number, place: number, close: string): number {
  for (let at = from; at < place; at += 1) {
    const char = text[at] ?? "";
    if (char === close) return at + 1;
    if (char === "`" || text.startsWith("((", at)) return -1;
    if (char === "#" && (at === from || /[\s;&|(]/.test(text[at - 1] ?? ""))) return -1;
    if (char === "[" && /\w/.test(text[at - 1] ?? "")) return -1;
    let next = at + 1;
    if (char === "\\") next = at + 2;
    else if (char === "'") next = text.indexOf("'", at + 1) + 1 || -1;
    else if (char === '"') next = endOfDouble(text, at + 1, place);
    else if (char === "$") next = endOfDollar(text, at, place);
    else if (char === "(") next = endOfCode(text, at + 1, place, ")");
    if (next < 0) return next;
    if (next > place) return -1;
    at = next - 1;
  }
  return HERE;
}

/** Whether a POSIX shell, or bash, reads a place as a word of its own, outside of quotes. In doubt it does not. */
export function isShellWord(text: string, from: number, to: number): boolean {
  return isApart(text, from, to, /[\s;&|)]/) && endOfCode(text, 0, from, "") === HERE;
}
