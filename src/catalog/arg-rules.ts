import type { Finding } from "../errors.ts";
import { isFound } from "../model/pattern.ts";
import type { ArgDeclaration, Value } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";
import { listed, quoted } from "../model/visible.ts";

const NAMES = { string: "text", integer: "a whole number", boolean: "true or false" } as const;

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

function hasType(value: Value, type: ArgDeclaration["type"]): boolean {
  return type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
}

/** Why a value is not allowed for the declared argument; undefined if it is allowed. */
export function argProblem(value: Value, declaration: Sound<ArgDeclaration>): string | undefined {
  const { type, pattern, minimum, maximum } = declaration;
  const shown = typeof value === "string" ? quoted(value) : String(value);
  if (type !== undefined && !hasType(value, type)) {
    return `${typeof value === "string" ? "the text " : ""}${shown} is not ${NAMES[type]}`;
  }
  const allowed = declaration.enum?.filter((one) => one !== undefined);
  if (allowed && !allowed.includes(value)) return `${shown} is not one of ${listed(allowed.map(String))}`;
  if (typeof value === "string" && pattern !== undefined && regexProblem(pattern, "u") === undefined) {
    const wrong = patternProblem(pattern, value);
    if (wrong !== undefined) return `${shown} ${wrong}`;
  }
  if (typeof value === "number" && minimum !== undefined && value < minimum)
    return `${shown} is less than ${minimum}`;
  if (typeof value === "number" && maximum !== undefined && value > maximum)
    return `${shown} is more than ${maximum}`;
  return undefined;
}

function checkDeclaration(name: string, declaration: Sound<ArgDeclaration>, place: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const add = (field: string | number, what: string, fix: string, ...rest: number[]) => {
    findings.push({
      code: "ARG_TYPE",
      what: `the argument ${quoted(name)}: ${what}`,
      where: place(["args", name, field, ...rest]),
      fix,
    });
  };
  const { type, pattern, minimum, maximum } = declaration;
  const problem = pattern === undefined ? undefined : regexProblem(pattern, "u");
  if (problem !== undefined)
    add("pattern", `its pattern is not a regular expression: ${problem}`, "correct the pattern");
  if (pattern !== undefined && type !== undefined && type !== "string")
    add("pattern", `only text can have a pattern`, "remove it, or set `type: string`");
  for (const field of ["minimum", "maximum"] as const) {
    if (declaration[field] === undefined || type === undefined || type === "integer") continue;
    add(field, `only whole numbers can have a ${field}`, "remove it, or set `type: integer`");
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    add("minimum", `its minimum ${minimum} is more than its maximum ${maximum}`, "swap the two");
  }
  for (const [index, value] of (declaration.enum ?? []).entries()) {
    const wrong = value === undefined ? undefined : argProblem(value, { ...declaration, enum: undefined });
    if (wrong) add("enum", `its enum: ${wrong}`, "correct the value or the declaration", index);
  }
  const wrong = declaration.default === undefined ? undefined : argProblem(declaration.default, declaration);
  if (wrong) add("default", `its default: ${wrong}`, "correct the value or the declaration");
  return findings;
}

/** Checks that the defaults and enums of declared arguments fit the rest of their declarations. */
export function checkArgs(
  args: Sound<Record<string, ArgDeclaration>> | undefined,
  place: PlaceOf,
): Finding[] {
  return Object.entries(args ?? {}).flatMap(([name, declaration]) =>
    declaration === undefined ? [] : checkDeclaration(name, declaration, place),
  );
}
