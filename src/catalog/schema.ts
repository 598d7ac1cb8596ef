import type { ErrorObject } from "ajv";
import type { Finding } from "../errors.ts";
import type { Documents } from "../schemas/types.ts";
import * as validators from "../schemas/validators.js";
import { alternatives, decisive } from "./schema-errors.ts";
import { missingField, missingOne } from "./missing-field.ts";
import {
  descriptionOf,
  fieldsOf,
  nameRule,
  pathText,
  schemasAt,
  wantedBy,
  withDescription,
} from "./schema-words.ts";
import { didYouMean } from "./suggest.ts";
import { listed, quoted } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";
import type { ParsedYaml } from "./yaml.ts";

/** The documents that people write. */
export type Kind = Exclude<keyof Documents, "event" | "record" | "record-1">;

export interface SchemaResult {
  findings: Finding[];
  /** Paths of values that cannot be used. */
  holes: Path[];
}

const OF_TEXT = new Set(["pattern", "minLength", "maxLength"]);
/** Rules about a whole list or mapping: its entries can be used even so. */
const OF_THE_WHOLE = new Set(["required", "minProperties", "minItems", "maxItems", "uniqueItems", "format"]);

/** Nobody reads more findings than this, and a hostile file may have a hundred thousand. */
const ERROR_LIMIT = 1000;

/** A JSON pointer as a path in a document. Only list indexes become numbers. */
function pathOf(pointer: string, value: unknown): Path {
  const path: (string | number)[] = [];
  let at = value;
  for (const raw of pointer.split("/").slice(1)) {
    const step = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    const key = Array.isArray(at) ? Number(step) : step;
    path.push(key);
    at = (at as Record<string | number, unknown>)[key];
  }
  return path;
}

function subject(path: Path): string {
  return path.length === 0 ? "the document" : `\`${pathText(path)}\``;
}

function shown(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return value === "" ? "an empty text" : `the text ${quoted(value)}`;
  return typeof value === "boolean" ? String(value) : `the number ${JSON.stringify(value)}`;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<string | number, unknown>)[step], value);
}

function wrongValue(kind: Kind, error: ErrorObject, path: Path, parsed: ParsedYaml): Finding {
  const schemas = schemasAt(kind, path);
  const wanted = wantedBy(schemas);
  const value = valueAt(parsed.value, path);
  const where = parsed.place(path);
  const description = descriptionOf(schemas);
  const what = `${subject(path)} is ${shown(value)}`;
  if (error.keyword === "uniqueItems") {
    const { i = 0, j = 0 } = error.params as { i?: number; j?: number };
    const place = parsed.place([...path, Math.max(i, j)]);
    return {
      code: "SCHEMA",
      what: `${subject(path)} has an entry twice`,
      where: place,
      fix: "keep one of the two",
    };
  }
  if (error.keyword === "type" && wanted.startsWith("text") && value !== null && typeof value !== "object") {
    const written = parsed.written(path) ?? JSON.stringify(value);
    return {
      code: "SCHEMA",
      what: `${what}, not text`,
      where,
      fix: withDescription(`quote it: "${written}"`, description),
    };
  }
  if (typeof value === "string" && wanted.startsWith("a whole number") && /^-?\d+$/.test(value)) {
    return {
      code: "SCHEMA",
      what: `${what}, not a number`,
      where,
      fix: withDescription(`write it without quotes: ${value}`, description),
    };
  }
  if (error.keyword === "minItems" || error.keyword === "minProperties") {
    const count = Object.keys(value as object).length;
    const few = `${subject(path)} has too few entries (${count})`;
    return { code: "SCHEMA", what: few, where, fix: withDescription(`wanted: ${wanted}`, description) };
  }
  return {
    code: "SCHEMA",
    what: `${what}, which is not allowed here`,
    where,
    fix: withDescription(`wanted: ${wanted}`, description),
  };
}

/** The field that an unknown one was probably meant to be, unless the document has that field too. */
function guessField(kind: Kind, field: string, path: Path, parsed: ParsedYaml): string | undefined {
  const present = valueAt(parsed.value, path) as object;
  return didYouMean(
    field,
    fieldsOf(schemasAt(kind, path)).filter((one) => !Object.hasOwn(present, one)),
  );
}

function unknownField(kind: Kind, field: string, path: Path, parsed: ParsedYaml): Finding {
  const guess = guessField(kind, field, path, parsed);
  const inside = path.length === 0 ? "" : ` in \`${pathText(path)}\``;
  return {
    code: "SCHEMA_UNKNOWN_FIELD",
    what: `there is no field ${quoted(field)}${inside}`,
    where: parsed.keyPlace([...path, field]),
    fix: guess
      ? `did you mean \`${guess}\`?`
      : `remove it; the fields are: ${listed(fieldsOf(schemasAt(kind, path)))}`,
  };
}

function badName(kind: Kind, name: string, path: Path, parsed: ParsedYaml): Finding {
  const rule = nameRule(kind, path);
  return {
    code: "SCHEMA",
    what: `${quoted(name)} cannot be a name in ${subject(path)}`,
    where: parsed.keyPlace([...path, name]),
    fix: withDescription("choose another name", rule),
  };
}

/** The paths of lists and mappings that are one of several alternatives, and have a wrong entry or name. */
function withWrongEntries(errors: readonly ErrorObject[]): Set<string> {
  const open = errors.filter(({ keyword }) => keyword === "anyOf").map(({ instancePath }) => instancePath);
  return new Set(
    open.filter((path) =>
      errors.some((one) =>
        one.instancePath === path ? one.keyword === "propertyNames" : one.instancePath.startsWith(`${path}/`),
      ),
    ),
  );
}

/** Whether an error is about a field's name: ajv gives the mapping's path for it, and a second error `propertyNames`. */
function isAboutName(error: ErrorObject, value: unknown): boolean {
  return error.propertyName !== undefined || (OF_TEXT.has(error.keyword) && typeof value !== "string");
}

function inside(path: Path, hole: Path): boolean {
  return hole.length <= path.length && hole.every((step, index) => step === path[index]);
}

/**
 * Checks parsed YAML against a document's schema: one finding per problem, with its place and what is allowed.
 * Regular expressions (`format`) are left to the document's rules, which say what is wrong with them.
 */
export function checkSchema(kind: Kind, parsed: ParsedYaml): SchemaResult {
  const validate = validators[kind];
  if (validate(parsed.value)) return { findings: [], holes: [] };
  if (parsed.value === null) {
    const { title = kind, description = "" } = schemasAt(kind, [])[0] as {
      title?: string;
      description?: string;
    };
    const fix = `wanted: ${title}, ${description}`;
    return {
      findings: [{ code: "SCHEMA", what: "the document is empty", where: parsed.place([]), fix }],
      holes: [[]],
    };
  }
  const findings: Finding[] = [];
  const holes: Path[] = [];
  const values: ErrorObject[] = [];
  const guessed = new Set<string>();
  /** Mappings of which it is said which field is wrong or missing: that they match no branch says less. */
  const told: Path[] = [];
  const entered = withWrongEntries((validate.errors ?? []).slice(0, ERROR_LIMIT));
  // Missing fields come last: one that is there under a misspelt name is the same problem.
  const errors = (validate.errors ?? []).slice(0, ERROR_LIMIT);
  const ordered = [...errors].sort(
    (a, b) => Number(a.keyword === "required") - Number(b.keyword === "required"),
  );
  for (const error of ordered) {
    const path = pathOf(error.instancePath, parsed.value);
    const params = error.params as {
      additionalProperty?: string;
      propertyName?: string;
      missingProperty?: string;
    };
    if (parsed.holes.some((hole) => inside(path, hole))) continue;
    // What is wrong with an entry says more than that the whole is none of the alternatives.
    if (entered.has(error.instancePath) && ["anyOf", "type"].includes(error.keyword)) continue;
    if (params.missingProperty !== undefined) {
      if (guessed.has(`${error.instancePath}/${params.missingProperty}`)) continue;
      const ways = alternatives(errors, error);
      // Of the alternatives of a mapping, one is meant: what the others lack says nothing.
      if (ways.length > 0 && told.some((one) => one.length === path.length && inside(one, path))) continue;
      findings.push(
        ways.length > 1
          ? missingOne(ways, path, parsed.place(path))
          : missingField(kind, path, params.missingProperty, parsed.place(path)),
      );
      told.push(path);
    } else if (params.additionalProperty !== undefined) {
      const guess = guessField(kind, params.additionalProperty, path, parsed);
      if (guess) guessed.add(`${error.instancePath}/${guess}`);
      findings.push(unknownField(kind, params.additionalProperty, path, parsed));
      holes.push([...path, params.additionalProperty]);
      told.push(path);
    } else if (error.keyword === "propertyNames" && params.propertyName !== undefined) {
      findings.push(badName(kind, params.propertyName, path, parsed));
      holes.push([...path, params.propertyName]);
    } else if (!isAboutName(error, valueAt(parsed.value, path)) && error.keyword !== "format") {
      values.push(error);
    }
  }
  for (const error of decisive(values)) {
    const path = pathOf(error.instancePath, parsed.value);
    if (error.keyword === "anyOf" && told.some((one) => inside(one, path))) continue;
    findings.push(wrongValue(kind, error, path, parsed));
    if (!OF_THE_WHOLE.has(error.keyword)) holes.push(path);
  }
  return { findings, holes: errors.length < ERROR_LIMIT ? holes : [[]] };
}
