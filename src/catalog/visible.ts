const LONGEST = 80;

/** One character that a terminal may act on or hide, as an escape of JSON or JavaScript. */
function escaped(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/**
 * A text that may be anything, as it can stand in a message: control, format and unassigned characters are
 * written as escapes, and what is past 80 characters is left out.
 */
export function visible(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replace(/[\p{C}\u2028\u2029]/gu, escaped);
}

/** The visible text between backticks, as names and values stand in messages. */
export function quoted(text: string): string {
  return `\`${visible(text)}\``;
}

/** At most ten names, quoted: `a`, `b` and 3 more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(quoted).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
