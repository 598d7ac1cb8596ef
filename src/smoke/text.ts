/** The most characters of a text that stand in a result. */
export const SHOWN = 500;

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"' };

/** Control, format (bidirectional and zero-width) and separator characters, and halves of a surrogate pair. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return NAMED[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The text with every character that a terminal or an eye could miss written as an escape. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** The text in double quotes, unambiguous and cut to `limit` characters. */
export function quoted(text: string, limit: number = SHOWN): string {
  return `"${visible(cut(text, limit).replace(/["\\]/g, escaped))}"`;
}

/** The text cut to `limit` characters: its start and its end, for an error mostly stands last. */
export function cut(text: string, limit: number = SHOWN): string {
  if (text.length <= limit) return text;
  const head = Math.floor(limit / 3);
  const tail = limit - head;
  return `${text.slice(0, head)} … ${text.length - limit} characters … ${text.slice(-tail)}`;
}
