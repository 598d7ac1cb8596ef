import { fixupSpdxId } from "@cyclonedx/cyclonedx-library/SPDX";
import parseExpression from "spdx-expression-parse";
import type { DeclaredLicense, License } from "./package.ts";

/** The parser calls itself for each parenthesis, so longer text is treated as a name. */
const LONGEST_EXPRESSION = 1000;

function isExpression(text: string): boolean {
  if (text.length > LONGEST_EXPRESSION) return false;
  try {
    parseExpression(text);
    return true;
  } catch {
    return false;
  }
}

const licenseOf = (text: string): License => {
  const id = fixupSpdxId(text);
  return id === undefined ? { name: text } : { id };
};

/**
 * Licences of formats whose field is meant to be SPDX: an id in upper or lower case, an expression, else the text as a
 * name.
 */
export function spdxDeclared(texts: readonly string[]): DeclaredLicense | null {
  const given = texts.map((text) => text.trim()).filter((text) => text !== "");
  const [only] = given;
  if (only === undefined) return null;
  if (given.length === 1 && fixupSpdxId(only) === undefined && isExpression(only))
    return { expression: only };
  return { each: given.map(licenseOf) };
}
