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
