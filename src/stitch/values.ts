/** A value that must not be rendered in this place. `compile-template.ts` adds the place in the file. */
export class UnsafeValue extends Error {
  readonly fix: string;
  constructor(what: string, fix: string) {
    super(what);
    this.fix = fix;
  }
}

/** Text that has no special meaning in any part of a Dockerfile or in a shell. */
const PLAIN = /^[A-Za-z0-9._/:@%+,=-]+$/;

const CONTROL = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/;

/** The text of a scalar. @throws UnsafeValue for anything else, and for half of a character */
function textOf(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    if (!/\p{Surrogate}/u.test(String(value))) return String(value);
    throw new UnsafeValue("the value has half of a surrogate pair, which is not a character", "remove it");
  }
  throw new UnsafeValue("there is no value to write here", "name an argument, such as {{args.port}}");
}

/** The text of a scalar without control characters. @throws UnsafeValue */
export function oneLine(value: unknown): string {
  const text = textOf(value);
  if (CONTROL.test(text)) {
    throw new UnsafeValue(
      `the value ${JSON.stringify(text.slice(0, 80))} has a line break or a control character`,
      "remove it: a value is one line",
    );
  }
  return text;
}

/** `{{args.x}}`: the value as it is, if it consists only of `A-Z a-z 0-9 . _ / : @ % + , = -` alone. */
export function plain(value: unknown): string {
  const text = textOf(value);
  if (!PLAIN.test(text)) {
    throw new UnsafeValue(
      `the value ${JSON.stringify(text.slice(0, 80))} has characters that mean something in a Dockerfile or a shell`,
      "use {{quote …}} in ENV, LABEL and ARG, {{sh …}} in RUN, {{json …}} in exec-form arrays",
    );
  }
  return text;
}

/** `{{quote args.x}}`: a double-quoted word for ENV, LABEL, ARG and the like; `\`, `"` and `$` are escaped. */
export function quote(value: unknown): string {
  return `"${oneLine(value).replace(/["\\$]/g, "\\$&")}"`;
}

/** `{{sh args.x}}`: a single-quoted word for a POSIX shell, in RUN. */
export function sh(value: unknown): string {
  return `'${oneLine(value).replaceAll("'", `'\\''`)}'`;
}

/** `{{json args.x}}`: a JSON string for exec-form arrays, which take nothing else. */
export function json(value: unknown): string {
  const text = JSON.stringify(textOf(value));
  return text.replace(
    /[\u007f\u0085\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The helpers that write a value. `plain` is what a bare `{{path}}` means. */
export const VALUE_HELPERS: Record<string, (value: unknown) => string> = { plain, quote, sh, json };
