import common from "../schemas/common.schema.json" with { type: "json" };
import fragment from "../schemas/fragment.schema.json" with { type: "json" };
import local from "../schemas/local.schema.json" with { type: "json" };
import lock from "../schemas/lock.schema.json" with { type: "json" };
import manifest from "../schemas/manifest.schema.json" with { type: "json" };
import plan from "../schemas/plan.schema.json" with { type: "json" };
import policy from "../schemas/policy.schema.json" with { type: "json" };
import pool from "../schemas/pool.schema.json" with { type: "json" };
import product from "../schemas/product.schema.json" with { type: "json" };
import smoke from "../schemas/smoke.schema.json" with { type: "json" };
import template from "../schemas/template.schema.json" with { type: "json" };
import workspace from "../schemas/workspace.schema.json" with { type: "json" };
import { brief, listed } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";

/** The part of draft-07 that the schemas use. */
interface Schema {
  $id?: string;
  $ref?: string;
  description?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  propertyNames?: Schema;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  definitions?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
}

/** A schema, and the file that `#` in it refers to. */
interface Located {
  schema: Schema;
  file: Schema;
}

const FILES = [
  common,
  fragment,
  local,
  lock,
  manifest,
  plan,
  policy,
  pool,
  product,
  smoke,
  template,
  workspace,
] as unknown as Schema[];

function fileOf(id: string): Schema {
  const file = FILES.find(({ $id }) => $id === id);
  if (!file) throw new Error(`no schema ${id}`);
  return file;
}

/** A schema with everything that its `$ref` and `allOf` bring in, outermost first. */
function expand({ schema, file }: Located): Located[] {
  const found: Located[] = [{ schema, file }];
  if (schema.$ref !== undefined) {
    const [name = "", pointer = ""] = schema.$ref.split("#");
    const target = name === "" ? file : fileOf(name);
    const definition = pointer.startsWith("/definitions/")
      ? target.definitions?.[pointer.slice("/definitions/".length)]
      : target;
    if (!definition) throw new Error(`no schema ${schema.$ref}`);
    found.push(...expand({ schema: definition, file: target }));
  }
  for (const part of schema.allOf ?? []) found.push(...expand({ schema: part, file }));
  return found;
}

/** The alternatives of a schema. */
function branchesOf({ schema, file }: Located): Located[] {
  return (schema.anyOf ?? []).flatMap((branch) => expand({ schema: branch, file }));
}

function locate(kind: string, path: Path): Located[] {
  const file = fileOf(`${kind}.schema.json`);
  let located = expand({ schema: file, file });
  for (const step of path) {
    const open = located.flatMap((one) => [one, ...branchesOf(one)]);
    located = open.flatMap(({ schema, file }) => {
      const named =
        typeof step === "string" && Object.hasOwn(schema.properties ?? {}, step)
          ? schema.properties?.[step]
          : undefined;
      const other = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
      const next = typeof step === "number" ? schema.items : (named ?? other);
      return next ? expand({ schema: next, file }) : [];
    });
  }
  return located;
}

/** The schemas that apply to the value at a path of a document, outermost first. */
export function schemasAt(kind: string, path: Path): Schema[] {
  return locate(kind, path).map(({ schema }) => schema);
}

/** The fields that a mapping may have, by its schemas. */
export function fieldsOf(schemas: readonly Schema[]): string[] {
  return schemas.flatMap(({ properties, anyOf = [] }) => [
    ...Object.keys(properties ?? {}),
    ...anyOf.flatMap((branch) => Object.keys(branch.properties ?? {})),
  ]);
}

/** The descriptions of schemas, each once. */
export function descriptionOf(schemas: readonly Schema[]): string {
  return [...new Set(schemas.flatMap(({ description }) => description ?? []))].join(" ");
}

/** What the names of a mapping's fields have to look like. */
export function nameRule(kind: string, path: Path): string {
  const rules = locate(kind, path).flatMap(({ schema: { propertyNames }, file }) =>
    propertyNames ? expand({ schema: propertyNames, file }) : [],
  );
  return descriptionOf(rules.map(({ schema }) => schema));
}

const TYPES: Record<string, string> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
};

function bounds(low: number | undefined, high: number | undefined, unit: string): string {
  if (low !== undefined && high !== undefined)
    return unit === "" ? ` from ${low} to ${high}` : ` of ${low} to ${high}${unit}`;
  if (low !== undefined) return ` of ${low}${unit} or more`;
  return high === undefined ? "" : ` of at most ${high}${unit}`;
}

function oneSchema(schema: Schema): string | undefined {
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum)
    return schema.enum.length === 1
      ? listed(schema.enum.map(String))
      : `one of ${listed(schema.enum.map(String))}`;
  if (schema.anyOf) return schema.anyOf.map(oneSchema).join(", or ");
  if (schema.type === undefined) return undefined;
  const name = TYPES[schema.type] ?? schema.type;
  if (schema.type === "array") return `${name}${bounds(schema.minItems, schema.maxItems, " entries")}`;
  if (schema.type === "string") return `${name}${bounds(undefined, schema.maxLength, " characters")}`;
  return `${name}${bounds(schema.minimum, schema.maximum, "")}`;
}

/** What a value has to be, in words: `a whole number from 0 to 1000`. Without the description. */
export function wantedBy(schemas: readonly Schema[]): string {
  return schemas.map(oneSchema).find((words) => words !== undefined) ?? "another value";
}

/** A path as people write it: `smoke[0].http.port`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) text += typeof step === "number" ? `[${step}]` : `${text && "."}${brief(step)}`;
  return text;
}

/** A fix with what the schema says of the field. */
export function withDescription(fix: string, description: string): string {
  return description === "" ? fix : `${fix} (${description})`;
}
