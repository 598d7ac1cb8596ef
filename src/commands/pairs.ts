import { FactoryError } from "../errors.ts";

/** `NAME=VALUE` texts as an object. @throws FactoryError USAGE if one has no `=`, or a name occurs twice */
export function pairs(option: string, texts: readonly string[] = []): Record<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at <= 0) {
      throw new FactoryError("USAGE", `${option} ${JSON.stringify(text)} is not of the form NAME=VALUE`, {
        fix: `such as ${option} core=0.1.0`,
      });
    }
    const name = text.slice(0, at);
    if (found.has(name))
      throw new FactoryError("USAGE", `${option} names ${JSON.stringify(name)} twice`, {
        fix: "keep one of the two",
      });
    found.set(name, text.slice(at + 1));
  }
  return Object.fromEntries(found);
}
