/**
 * Checks a document strictly against the CycloneDX 1.6 JSON schema, as the library's JsonStrictValidator does.
 * @param json the document's text
 * @returns what is wrong with it, one line each; empty where it is valid
 */
export async function validateSbom(json: string): Promise<string[]> {
  const { validate } = await import("./cyclonedx-validator.js");
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    if (cause instanceof SyntaxError) return [`not JSON: ${cause.message}`];
    throw cause;
  }
  if (validate(document)) return [];
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath || "/"} ${error.message ?? "is not valid"}`,
  );
}
