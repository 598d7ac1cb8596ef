import { annotationsOf } from "../../stitch/labels.ts";

/**
 * What is annotated: also the index around a platform's manifest and its attestations. Only where nobody can leave the attestations out:
 * BuildKit fails where there is no such index.
 */
export type Annotated = "manifest" | "manifest,index";

/** Annotations in the form that bake takes. */
export function bakeAnnotations(annotations: Readonly<Record<string, string>>, what: Annotated): string[] {
  return Object.entries(annotations).map(([name, value]) => `${what}:${name}=${value}`);
}

const ITEM = /"manifest(?:,index)?:((?:[^"\\]|\\.)*)"/g;

/**
 * The annotations that a bake file of one cell gives its image, as they were written; none in files of before there were any.
 * @param text as `bakeFile` writes it
 */
export function annotationsIn(text: string): Record<string, string> {
  const [, list = ""] = /^ {2}annotations = \[(.*?)\]$/ms.exec(text) ?? [];
  const found: Record<string, string> = {};
  for (const [, item = ""] of list.matchAll(ITEM)) {
    const said = (JSON.parse(`"${item}"`) as string).replace(/([$%])\1(?=\{)/g, "$1");
    const at = said.indexOf("=");
    found[said.slice(0, at)] = said.slice(at + 1);
  }
  return annotationsOf(found);
}
