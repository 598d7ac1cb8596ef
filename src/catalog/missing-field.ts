import type { Finding, Place } from "../errors.ts";
import type { Documents } from "../schemas/types.ts";
import { descriptionOf, pathText, schemasAt, wantedBy, withDescription } from "./schema-words.ts";
import type { Path } from "./yaml-value.ts";

/** The finding about a field that a mapping lacks. */
export function missingField(kind: keyof Documents, path: Path, field: string, where: Place): Finding {
  const schemas = schemasAt(kind, [...path, field]);
  const inside = path.length === 0 ? "" : ` in \`${pathText(path)}\``;
  return {
    code: "SCHEMA_MISSING_FIELD",
    what: `the field \`${field}\` is missing${inside}`,
    where,
    fix: withDescription(`add \`${field}:\`, ${wantedBy(schemas)}`, descriptionOf(schemas)),
  };
}

/** The finding about a mapping that lacks all of the fields of which it has to have one. */
export function missingOne(fields: readonly string[], path: Path, where: Place): Finding {
  const names = fields.map((field) => `\`${field}\``).join(", ");
  return {
    code: "SCHEMA_MISSING_FIELD",
    what: `\`${pathText(path)}\` has none of ${names}`,
    where,
    fix: "add one of them",
  };
}
