/** The most characters of a text that stand in a message. */
const LONGEST = 80;

/**
 * Characters that a terminal may act on, or that an eye cannot see: control, escape, format (among them those that turn the
 * direction of the text), private and unassigned characters, halves of a surrogate pair, and separators of lines.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const UNSEEN_IN_LINES = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;

/** Texts that need no look at each character. */
const PLAIN = /^[ -~]*$/;
const PLAIN_LINES = /^[ -~\n]*$/;

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A character as JSON and JavaScript escape it: `\n`, `\u001b`, `\ud83d\ude00`. */
function escaped(character: string): string {
  return (
    NAMED[character] ??
    character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
  );
}

/** A text on one line, with every character that a terminal may act on, or that cannot be seen, written as an escape. */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSEEN, escaped);
}

/** As `visible`, but line breaks stay. What is JSON stays JSON, and says the same. */
export function visibleLines(text: string): string {
  return PLAIN_LINES.test(text) ? text : text.replace(UNSEEN_IN_LINES, escaped);
}

/** The visible text; of a long one its first 80 characters. */
export function brief(text: string): string {
  return visible(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

/** The brief text between backticks, as names and values stand in messages. */
export function quoted(text: string): string {
  return `\`${brief(text)}\``;
}

/** At most ten names, quoted: `a`, `b` and 3 more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(quoted).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
