import { FactoryError } from "../errors.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Documents } from "../schemas/types.ts";
import type { Entry, PlaceOf } from "./catalog.ts";
import { readText } from "./read.ts";
import { checkRules } from "./document-rules.ts";
import type { Named } from "./document-rules.ts";
import { checkSchema } from "./schema.ts";
import type { Kind } from "./schema.ts";
import { withoutPaths } from "./sound.ts";
import type { Sound } from "./sound.ts";
import { parseYaml } from "./yaml.ts";

/** A document, as far as it could be read. */
export interface Loaded<T> {
  file: string;
  /** Everything that is wrong with the document itself, sorted by place. */
  findings: Finding[];
  /** The document, if nothing is wrong with it. */
  entry?: Entry<T>;
  /** The document without the parts that are wrong; empty if nothing could be read. */
  sound: Sound<T>;
  place: PlaceOf;
  /** The place of the last key of the path. */
  keyPlace: PlaceOf;
}

const FINDINGS_LIMIT = 100;

/** Orders findings by file, line, column and code. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    compareText(a.where?.file ?? "\uffff", b.where?.file ?? "\uffff") ||
    (a.where?.line ?? 0) - (b.where?.line ?? 0) ||
    (a.where?.col ?? 0) - (b.where?.col ?? 0) ||
    compareText(a.code, b.code) ||
    compareText(a.what, b.what)
  );
}

/** Findings, sorted, and cut if a broken or hostile file has more than a person would read. */
function presentable(findings: readonly Finding[], file: string): Finding[] {
  const sorted = [...findings].sort(compareFindings);
  if (sorted.length <= FINDINGS_LIMIT) return sorted;
  const what = `more than ${FINDINGS_LIMIT} findings in this file; the rest is left out`;
  return [
    ...sorted.slice(0, FINDINGS_LIMIT),
    { code: "SCHEMA", what, where: { file }, fix: "correct the first ones" },
  ];
}

/** The findings of an error. @throws the error itself if it is not a FactoryError: a bug of ours */
export function findingsOf(error: unknown): Finding[] {
  if (!(error instanceof FactoryError)) throw error;
  return error.findings ?? [{ code: error.code, what: error.message, where: error.where, fix: error.fix }];
}

/** The findings about the input that `work` reads; none if it succeeds. */
export function findingsIn(work: () => unknown): Finding[] {
  try {
    work();
    return [];
  } catch (error) {
    return findingsOf(error);
  }
}

function nothing<T>(file: string, findings: Finding[]): Loaded<T> {
  const place = () => ({ file });
  return { file, findings, sound: {} as Sound<T>, place, keyPlace: place };
}

/**
 * Reads and checks one document. It never throws because of the file's content: that becomes findings.
 * @param root real path of the workspace
 * @param file relative to it, made of checked names
 * @param named values that the path gives and the document has to repeat
 */
export function loadDocument<K extends Kind>(
  kind: K,
  root: string,
  file: string,
  named: Named,
): Loaded<Documents[K]> {
  let text: string;
  try {
    text = readText(root, file);
  } catch (error) {
    return nothing(file, findingsOf(error));
  }
  return readDocument(kind, text, file, named);
}

/** As `loadDocument`, from a text that the file has, or is to get. */
export function readDocument<K extends Kind>(
  kind: K,
  text: string,
  file: string,
  named: Named,
): Loaded<Documents[K]> {
  const parsed = parseYaml(text, file);
  if (parsed.value === undefined) return nothing(file, presentable(parsed.findings, file));
  const schema = checkSchema(kind, parsed);
  const sound = (withoutPaths(parsed.value, [...parsed.holes, ...schema.holes]) ?? {}) as Sound<Documents[K]>;
  const { place, keyPlace } = parsed;
  const findings = presentable(
    [...parsed.findings, ...schema.findings, ...checkRules(kind, sound, named, place)],
    file,
  );
  const loaded: Loaded<Documents[K]> = { file, findings, sound, place, keyPlace };
  // Without findings, nothing was left out.
  if (findings.length === 0) loaded.entry = { document: sound as Documents[K], file, place };
  return loaded;
}
