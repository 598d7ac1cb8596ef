import type { ErrorObject } from "ajv";

/** If a value breaks several rules at once, the first of these says the most. */
const SAYS_MOST = ["anyOf", "type", "const", "enum", "pattern", "minLength", "maxLength"];

/** For each value the one error that says the most: the branches of an `anyOf`, for example, say less than the whole. */
export function decisive(errors: readonly ErrorObject[]): ErrorObject[] {
  const rank = ({ keyword }: ErrorObject) =>
    SAYS_MOST.includes(keyword) ? SAYS_MOST.indexOf(keyword) : SAYS_MOST.length;
  const ofValue = new Map<string, ErrorObject>();
  for (const error of errors) {
    const best = ofValue.get(error.instancePath);
    if (!best || rank(error) < rank(best)) ofValue.set(error.instancePath, error);
  }
  return [...ofValue.values()];
}

/** The fields of which a mapping has to have one, if an error is about alternatives; each alternative lacks its own. */
export function alternatives(
  errors: readonly ErrorObject[],
  { instancePath, schemaPath }: ErrorObject,
): string[] {
  if (!schemaPath.includes("/anyOf/")) return [];
  const fields = errors.flatMap((one) =>
    one.keyword === "required" && one.instancePath === instancePath && one.schemaPath.includes("/anyOf/")
      ? String((one.params as { missingProperty?: string }).missingProperty)
      : [],
  );
  return [...new Set(fields)];
}
