import type { Finding } from "../errors.ts";
import { quoted } from "../model/visible.ts";
import type { ArgDeclaration, ItemDeclaration, Value } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";
import { regexProblem, valueProblem } from "./value-rules.ts";
import type { Path } from "./yaml-value.ts";

type Add = (path: Path, what: string, fix: string) => void;

/** Checks limits of scalars: those of an argument, or of the items of one. */
function checkLimits(declaration: Sound<ArgDeclaration | ItemDeclaration>, add: Add): void {
  const { type, pattern, minimum, maximum } = declaration;
  const problem = pattern === undefined ? undefined : regexProblem(pattern, "u");
  if (problem !== undefined)
    add(["pattern"], `its pattern is not a regular expression: ${problem}`, "correct the pattern");
  const field = { list: "items", map: "values" }[String(type)];
  const other = (right: string) =>
    field === undefined ? `remove it, or set \`type: ${right}\`` : `put it under \`${field}:\``;
  if (pattern !== undefined && type !== undefined && type !== "string")
    add(["pattern"], `only text can have a pattern`, other("string"));
  for (const limit of ["minimum", "maximum"] as const) {
    if (declaration[limit] === undefined || type === undefined || type === "integer") continue;
    add([limit], `only whole numbers can have a ${limit}`, other("integer"));
  }
  if (minimum !== undefined && maximum !== undefined && minimum > maximum)
    add(["minimum"], `its minimum ${minimum} is more than its maximum ${maximum}`, "swap the two");
}

/** The fields that only lists or only maps have, with those types. */
const OF_TYPES = {
  items: ["list"],
  values: ["map"],
  min_items: ["list", "map"],
  max_items: ["list", "map"],
  unique: ["list"],
} as const;

/** Checks what only lists and maps have. */
function checkEntries(declaration: Sound<ArgDeclaration>, add: Add): void {
  const { type, items, values, min_items, max_items } = declaration;
  for (const [field, types] of Object.entries(OF_TYPES)) {
    if (declaration[field as keyof typeof OF_TYPES] === undefined || type === undefined) continue;
    if ((types as readonly string[]).includes(type)) continue;
    add(
      [field],
      `only a ${types.join(" or a ")} can have \`${field}\``,
      `remove it, or set \`type: ${types[0]}\``,
    );
  }
  if (min_items !== undefined && max_items !== undefined && min_items > max_items)
    add(["min_items"], `its min_items ${min_items} is more than its max_items ${max_items}`, "swap the two");
  for (const [field, own] of Object.entries({ items, values })) {
    if (!own) continue;
    const below: Add = (path, what, fix) => add([field, ...path], `${field}: ${what}`, fix);
    checkLimits(own, below);
    checkEnum(own, below);
  }
}

/** Whether a part of a value was wrong by itself, and so is left out. */
function hasHoles(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).includes(undefined);
}

/** Checks that each allowed value fits the rest of its declaration. */
function checkEnum(declaration: Sound<ArgDeclaration | ItemDeclaration>, add: Add): void {
  for (const [index, value] of (declaration.enum ?? []).entries()) {
    if (value === undefined || hasHoles(value)) continue;
    const wrong = valueProblem(value as Value, {
      ...(declaration as Sound<ArgDeclaration>),
      enum: undefined,
    });
    if (wrong)
      add(["enum", index, ...wrong.at], `its enum: ${wrong.what}`, "correct the value or the declaration");
  }
}

function checkDeclaration(name: string, declaration: Sound<ArgDeclaration>, place: PlaceOf): Finding[] {
  const findings: Finding[] = [];
  const add: Add = (path, what, fix) => {
    const where = place(["args", name, ...path]);
    findings.push({ code: "ARG_TYPE", what: `the argument ${quoted(name)}: ${what}`, where, fix });
  };
  checkLimits(declaration, add);
  checkEntries(declaration, add);
  checkEnum(declaration, add);
  const given = declaration.default as Value | undefined;
  const wrong = given === undefined || hasHoles(given) ? undefined : valueProblem(given, declaration);
  if (wrong)
    add(["default", ...wrong.at], `its default: ${wrong.what}`, "correct the value or the declaration");
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
