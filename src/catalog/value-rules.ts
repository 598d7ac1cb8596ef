import { isFound } from "../model/pattern.ts";
import { isList, isMap, valueText } from "../model/value.ts";
import { brief, listed, quoted } from "../model/visible.ts";
import type { ArgDeclaration, ItemDeclaration, Scalar, Value } from "../schemas/types.ts";
import type { Sound } from "./sound.ts";
import type { Path } from "./yaml-value.ts";

/** What is wrong with a value, and where in it: the path of an item or entry, empty for the whole. */
export interface ValueProblem {
  what: string;
  at: Path;
}

const NAMES = {
  string: "text",
  integer: "a whole number",
  boolean: "true or false",
  list: "a list",
  map: "a map",
} as const;

/** Why a text is not a regular expression, in the engine's words; undefined if it is one. */
export function regexProblem(source: string, flags: string): string | undefined {
  try {
    new RegExp(source, flags);
    return undefined;
  } catch (error) {
    return (error as Error).message.split(": ").at(-1);
  }
}

/** Patterns that took too long once. They are not tried on other values, since there may be many. */
const endless = new Map<string, string>();

/** Why a pattern does not match a whole text; undefined if it does. */
function patternProblem(pattern: string, value: string): string | undefined {
  const matches = endless.has(pattern) || isFound(`^(?:${pattern})$`, "u", value);
  if (matches === false) return `does not match ${quoted(pattern)}`;
  if (typeof matches === "object") endless.set(pattern, matches.error);
  const error = endless.get(pattern);
  return error === undefined ? undefined : `cannot be checked against ${quoted(pattern)}: ${error}`;
}

function typeOf(value: Value): ArgDeclaration["type"] | undefined {
  if (isList(value)) return "list";
  if (isMap(value)) return "map";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  return Number.isSafeInteger(value) ? "integer" : undefined;
}

function shown(value: Value): string {
  if (typeof value === "object")
    return `the ${isList(value) ? "list" : "map"} \`${brief(valueText(value))}\``;
  return typeof value === "string" ? quoted(value) : String(value);
}

/** The values that are not undefined: a part of a document that was wrong is left out. */
function sound(values: readonly unknown[] | undefined): Value[] | undefined {
  return values?.filter((one) => one !== undefined) as Value[] | undefined;
}

function scalarProblem(
  value: Scalar,
  declaration: Sound<ArgDeclaration | ItemDeclaration>,
): string | undefined {
  const { pattern, minimum, maximum } = declaration;
  if (typeof value === "string" && pattern !== undefined && regexProblem(pattern, "u") === undefined) {
    const wrong = patternProblem(pattern, value);
    if (wrong !== undefined) return `${shown(value)} ${wrong}`;
  }
  if (typeof value === "number" && minimum !== undefined && value < minimum)
    return `${shown(value)} is less than ${minimum}`;
  if (typeof value === "number" && maximum !== undefined && value > maximum)
    return `${shown(value)} is more than ${maximum}`;
  return undefined;
}

/** What is wrong with a value by its type and its `enum`. */
function kindProblem(value: Value, { type, enum: allowed }: Sound<ArgDeclaration>): string | undefined {
  if (type !== undefined && typeOf(value) !== type)
    return `${typeof value === "string" ? "the text " : ""}${shown(value)} is not ${NAMES[type]}`;
  const texts = sound(allowed)?.map((one) => ({ one, text: valueText(one) }));
  if (!texts || texts.some(({ one, text }) => typeOf(one) === typeOf(value) && text === valueText(value)))
    return undefined;
  return `${shown(value)} is not one of ${listed(texts.map(({ text }) => text))}`;
}

function itemProblem(value: Scalar, declaration: Sound<ItemDeclaration>): string | undefined {
  if (typeof value === "string" && /\p{Surrogate}/u.test(value))
    return `${shown(value)} has half of a surrogate pair, which is not a character`;
  return kindProblem(value, declaration) ?? scalarProblem(value, declaration);
}

const TEXT: ItemDeclaration = { type: "string" };

function listProblem(value: readonly Scalar[], { items = TEXT, unique }: Sound<ArgDeclaration>) {
  const seen = new Map<Scalar, number>();
  for (const [at, item] of value.entries()) {
    const wrong = itemProblem(item, items);
    if (wrong !== undefined) return { what: `its item ${at + 1}: ${wrong}`, at: [at] };
    if (unique === true && seen.has(item)) return { what: `it has ${shown(item)} twice`, at: [at] };
    seen.set(item, at);
  }
  return undefined;
}

const MAP_KEY = /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}$/;

function mapProblem(value: Readonly<Record<string, Scalar>>, { values = TEXT }: Sound<ArgDeclaration>) {
  for (const [key, one] of Object.entries(value)) {
    if (!MAP_KEY.test(key)) {
      const what = `its key ${quoted(key)} has other characters than letters, digits and \`_ . / -\`, or starts with one of the last three`;
      return { what, at: [key] };
    }
    const wrong =
      typeof one === "object"
        ? `${shown(one)} is not ${NAMES[values.type ?? "string"]}`
        : itemProblem(one, values);
    if (wrong !== undefined) return { what: `its entry ${quoted(key)}: ${wrong}`, at: [key] };
  }
  return undefined;
}

function sizeProblem(
  size: number,
  { min_items = 0, max_items = 1000 }: Sound<ArgDeclaration>,
): string | undefined {
  if (size < min_items) return `it has ${size} entries, and needs at least ${min_items}`;
  return size > max_items ? `it has ${size} entries, and may have at most ${max_items}` : undefined;
}

/** What is wrong with a value for the declared argument; undefined if it is allowed. */
export function valueProblem(value: Value, declaration: Sound<ArgDeclaration>): ValueProblem | undefined {
  const kind = kindProblem(value, declaration);
  if (kind !== undefined) return { what: kind, at: [] };
  if (typeof value !== "object") {
    const what = scalarProblem(value, declaration);
    return what === undefined ? undefined : { what, at: [] };
  }
  const size = sizeProblem(Object.keys(value).length, declaration);
  if (size !== undefined) return { what: size, at: [] };
  return isList(value) ? listProblem(value, declaration) : mapProblem(value, declaration);
}
