import type { Schema } from "./published.ts";

/** A reference to a schema, or to one of its definitions: `common.schema.json#/definitions/id`, `#/definitions/id`. */
const REFERENCE = /^([a-z0-9-]+\.schema\.json)?(?:#(?:\/definitions\/([A-Za-z0-9_]+))?)?$/;

/**
 * A schema that refers to no other file, for editors and validators that have only this one: what it needs of others is among its
 * definitions.
 * @param all every schema, by its `$id`
 */
export function wholeSchema(id: string, all: Readonly<Record<string, Schema>>): Schema {
  const definitions: Record<string, unknown> = {};
  /** The name that a definition of a file has here. */
  const names = new Map<string, string>();

  const schemaOf = (file: string): Schema => {
    const found = all[file];
    if (!found) throw new Error(`there is no schema ${file}`);
    return found;
  };
  const nameOf = (file: string, definition: string | undefined): string => {
    const key = `${file}#${definition ?? ""}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    const stem = file.replace(/\.schema\.json$/, "");
    const wanted = definition ?? stem;
    // The schema's own definitions keep their names.
    const isTaken = Object.hasOwn(definitions, wanted) || (file !== id && Object.hasOwn(own, wanted));
    const name = isTaken ? `${stem}_${wanted}` : wanted;
    names.set(key, name);
    definitions[name] = null;
    const { definitions: theirs = {}, ...body } = schemaOf(file);
    const target = definition === undefined ? body : (theirs as Schema)[definition];
    if (target === undefined) throw new Error(`${file} defines no ${definition}`);
    definitions[name] = moved(target, file);
    return name;
  };
  /** A part of a file with references to where things are here. */
  const moved = (value: unknown, file: string): unknown => {
    if (Array.isArray(value)) return value.map((one) => moved(one, file));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).flatMap(([name, one]): [string, unknown][] => {
      if (name === "$id" || name === "$schema") return [];
      if (name !== "$ref" || typeof one !== "string") return [[name, moved(one, file)]];
      const match = REFERENCE.exec(one);
      if (!match) throw new Error(`${file} refers to ${one}`);
      const [, other = file, definition] = match;
      if (other === id && definition === undefined) return [[name, "#"]];
      return [[name, `#/definitions/${nameOf(other, definition)}`]];
    });
    return Object.fromEntries(entries);
  };

  const { $schema, definitions: given = {}, ...body } = schemaOf(id);
  const own = given as Schema;
  for (const name of Object.keys(own)) nameOf(id, name);
  const made = moved(body, id) as Schema;
  return { $schema, ...made, ...(Object.keys(definitions).length > 0 && { definitions }) };
}
