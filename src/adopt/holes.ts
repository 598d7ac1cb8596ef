import { wordsOf, type Written } from "./logical.ts";

/** A place of an instruction where others may have another value: a version, a hash, a number, a default. */
export interface Hole {
  /** In the logical line. */
  start: number;
  end: number;
  value: string;
  /** What an argument for it could be called. */
  name: string;
  /** Whether it is the default of an ARG. */
  isDefault: boolean;
}

/** What `{{args.x}}` writes as it is. */
const PLAIN = /^[A-Za-z0-9._/:@%+,=-]{1,200}$/;
/** Hashes and keys, and versions and numbers; not part of `$1` or `${1}`, nor between braces. */
const LITERAL =
  /(?<![0-9A-Za-z{])[0-9A-Fa-f]{16,128}(?![0-9A-Za-z}])|(?<![0-9.{$])[0-9]{1,40}(?:\.[0-9]{1,40}){0,8}(?:(?:a|b|rc)[0-9]{1,9})?(?![0-9}])/g;

/** An argument's name from a variable's. */
function argName(variable: string): string {
  const name = variable
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, "_")
    .slice(0, 50);
  return /^[a-z]/.test(name) ? name : `arg_${name}`;
}

/** The holes of an instruction, in order, outside of what is changed anyway. */
export function holesOf(
  { line }: Pick<Written, "line">,
  taken: readonly { start: number; end: number }[],
): Hole[] {
  const [keyword, ...words] = wordsOf({ line });
  const name = keyword?.text.toUpperCase() ?? "";
  const holes: Hole[] = [];
  const isFree = (start: number, end: number) =>
    [...taken, ...holes].every((one) => end <= one.start || start >= one.end);
  if (name === "ARG" || name === "ENV") {
    for (const { text, end } of words) {
      const [, variable = "", value = ""] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
      if (PLAIN.test(value))
        holes.push({
          start: end - value.length,
          end,
          value,
          name: argName(variable),
          isDefault: name === "ARG",
        });
    }
    const [variable, value, more] = words;
    if (
      name === "ENV" &&
      variable &&
      value &&
      !more &&
      !variable.text.includes("=") &&
      PLAIN.test(value.text)
    )
      holes.push({
        start: value.start,
        end: value.end,
        value: value.text,
        name: argName(variable.text),
        isDefault: false,
      });
  }
  for (const { 0: value, index } of line.matchAll(LITERAL)) {
    if (index < (keyword?.end ?? 0) || !isFree(index, index + value.length)) continue;
    const what =
      value.length >= 16 ? "hash" : value.includes(".") ? "version" : name === "EXPOSE" ? "port" : "number";
    holes.push({ start: index, end: index + value.length, value, name: what, isDefault: false });
  }
  return holes.sort((a, b) => a.start - b.start);
}
