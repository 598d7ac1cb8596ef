import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isScalar, parseDocument } from "yaml";
import type { Library } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";

const FILE = "factory.yaml";
const KEY = "libraries";

type Source = Library["source"];
type Settings = { [KEY]?: Record<string, Source> } & Record<string, unknown>;

/** A source as one line of YAML. */
const inFlow = ({ path, oci }: Source): string =>
  oci === undefined ? `{ path: ${JSON.stringify(path)} }` : `{ oci: "${oci}" }`;

/** The text with a piece of it replaced. */
const spliced = (text: string, from: number, to: number, by: string): string =>
  text.slice(0, from) + by + text.slice(to);

/** The text with one more entry, where it is written in block style or not there yet; undefined if it is neither. */
function withLine(text: string, document: Document, name: string, source: Source): string | undefined {
  const line = `${name}: ${inFlow(source)}`;
  if (!document.has(KEY)) {
    const end = text === "" || text.endsWith("\n") ? "" : "\n";
    // What comes after an end mark is another document.
    return /^(\.\.\.|---)/m.test(text.replace(/^---.*\n/, ""))
      ? undefined
      : `${text}${end}${KEY}:\n  ${line}\n`;
  }
  const map = document.get(KEY);
  const key = isMap(map) && !map.flow ? map.items[0]?.key : undefined;
  if (!isScalar(key) || !key.range) return undefined;
  const [at] = key.range;
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const indent = text.slice(start, at);
  return /^ +$/.test(indent) ? spliced(text, start, start, `${indent}${line}\n`) : undefined;
}

/** The text with another artifact for an entry. */
function withArtifact(text: string, document: Document, name: string, oci: string): string | undefined {
  const node = document.getIn([KEY, name, "oci"], true);
  if (!isScalar(node) || !node.range) return undefined;
  return spliced(text, node.range[0], node.range[1], JSON.stringify(oci));
}

/** Whether a text is YAML that says this. */
function says(text: string, wanted: Settings): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), wanted);
}

/**
 * The text of factory.yaml with a library: a new one, or another source for one that is there. All else stays as it is, with
 * its comments.
 * @param text without findings
 * @throws FactoryError LIBRARY_INVALID if the file is written in a way that cannot be added to
 */
export function declareLibrary(text: string, name: string, source: Source): string {
  const document = parseDocument(text);
  const before = (document.toJS() ?? {}) as Settings;
  const isNew = before[KEY]?.[name] === undefined;
  const wanted = { ...before, [KEY]: { ...before[KEY], [name]: { ...source } } };
  const written = isNew
    ? withLine(text, document, name, source)
    : source.oci === undefined
      ? text
      : withArtifact(text, document, name, source.oci);
  if (written !== undefined && says(written, wanted)) return written;
  throw new FactoryError("LIBRARY_INVALID", `${FILE} is written in a way that no library can be added to`, {
    where: { file: FILE },
    fix: `write it yourself, below \`${KEY}:\`: \`${name}: ${inFlow(source)}\`; then run \`factory lock\``,
  });
}
