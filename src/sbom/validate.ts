import type * as cyclonedx from "@cyclonedx/cyclonedx-library";

type Validator = InstanceType<typeof cyclonedx.Validation.JsonStrictValidator>;

let compiled: Promise<Validator> | undefined;

/** Compiles the schema, once a process (a third of a second): call it early to have that done meanwhile. */
export function prepareValidator(): Promise<Validator> {
  compiled ??= (async () => {
    const { Spec, Validation } = await import("@cyclonedx/cyclonedx-library");
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    await validator.validate("{}");
    return validator;
  })();
  return compiled;
}

/**
 * Checks a document strictly against the CycloneDX 1.6 JSON schema.
 * @param json the document's text
 * @returns what is wrong with it, one line each; empty where it is valid
 */
export async function validateSbom(json: string): Promise<string[]> {
  const validator = await prepareValidator();
  let found: unknown;
  try {
    found = await validator.validate(json);
  } catch (cause) {
    if (cause instanceof SyntaxError) return [`not JSON: ${cause.message}`];
    throw cause;
  }
  if (found === null) return [];
  const errors = (Array.isArray(found) ? found : [found]) as { instancePath?: string; message?: string }[];
  return errors.map((error) => `${error.instancePath || "/"} ${error.message ?? "is not valid"}`);
}
