import { Composer, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from "yaml";
import type { Document, Pair, ParsedNode, YAMLError } from "yaml";
import type { Finding, Place } from "../errors.ts";
import { brief } from "../model/visible.ts";
import { offsetOf, plainValue } from "./yaml-value.ts";
import type { PairIndex, Path, Refusal } from "./yaml-value.ts";

/** How deep collections may be nested: the parser's stack grows with the depth, and no real document comes near this. */
const DEPTH_LIMIT = 100;
/** How many tokens a file may have: each costs microseconds, so a file at the size limit could take ten seconds. */
const TOKEN_LIMIT = 200_000;

/** A YAML file as JSON values with their places. */
export interface ParsedYaml {
  /** undefined if the text is not YAML; null if it is empty. */
  value: unknown;
  findings: Finding[];
  /** Paths of what was refused: the value has `null` there, and a finding says why. */
  holes: Path[];
  /** The place of a value, or of its nearest parent if it does not exist. */
  place: (path: Path) => Place;
  /** The place of the last key of the path. */
  keyPlace: (path: Path) => Place;
  /** A scalar as it is written in the file. */
  written: (path: Path) => string | undefined;
}

interface Tokens {
  documents: Document.Parsed[];
  refusal?: Refusal;
}

/** Reads the text token by token, so that neither their depth nor their number can get out of hand. */
function compose(text: string, lines: LineCounter): Tokens {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens = [];
  let count = 0;
  let offset = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    offset += lexeme.length;
    count += 1;
    if (parser.stack.length > DEPTH_LIMIT) {
      const what = "collections are nested too deeply here, or a line has more than one `key: value`";
      return {
        documents: [],
        refusal: { code: "YAML_SYNTAX", what, offset, fix: "check the indentation and the brackets" },
      };
    }
    if (count > TOKEN_LIMIT) {
      const what = `the file has more than ${TOKEN_LIMIT} YAML tokens`;
      return { documents: [], refusal: { code: "FILE_TOO_LARGE", what, offset, fix: "split it" } };
    }
  }
  for (const token of parser.end()) tokens.push(token);
  const directive = tokens.find((token) => token.type === "directive");
  if (directive) {
    const what = "YAML directives (`%…`) are not used in documents";
    return {
      documents: [],
      refusal: { code: "YAML_UNSUPPORTED", what, offset: directive.offset, fix: "remove the line" },
    };
  }
  const options = {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  } as const;
  return { documents: [...new Composer(options).compose(tokens, true, text.length)] as Document.Parsed[] };
}

/** A fix for values that start with a character that means something in YAML. */
function quoteFix(line: string): string {
  const start = /(?:^|[:\-[{,?])\s+([>|*&!%@`].*)$/.exec(line)?.[1];
  if (start === undefined) return "check the indentation, brackets and quotes around here";
  return `quote the value: ${brief(JSON.stringify(start.trimEnd()))}`;
}

/** The first error of each run of lines: errors right after it are nearly always its consequences. */
function syntaxFindings(
  text: string,
  file: string,
  errors: readonly YAMLError[],
  lines: LineCounter,
): Finding[] {
  const findings: Finding[] = [];
  const sourceLines = text.split("\n");
  let last = -1;
  for (const error of [...errors].sort((a, b) => a.pos[0] - b.pos[0])) {
    const { line, col } = lines.linePos(Math.min(error.pos[0], text.length));
    const echo = last >= 0 && line - last <= 1;
    last = line;
    if (echo) continue;
    const what = brief(error.message.charAt(0).toLowerCase() + error.message.slice(1));
    findings.push({
      code: "YAML_SYNTAX",
      what: `broken YAML: ${what}`,
      where: { file, line, col },
      fix: quoteFix(sourceLines[line - 1] ?? ""),
    });
  }
  return findings;
}

/** Follows a path as far as the document goes. */
function follow(
  contents: unknown,
  pairs: PairIndex,
  path: Path,
): { pair?: Pair; node: unknown; whole: boolean } {
  let node: unknown = contents;
  let pair: Pair | undefined;
  for (const step of path) {
    const next = isMap(node) ? pairs.get(node)?.get(String(step)) : undefined;
    if (next) {
      pair = next;
      node = next.value;
    } else if (isSeq(node) && typeof step === "number" && node.items[step] !== undefined) {
      pair = undefined;
      node = node.items[step];
    } else {
      return { pair, node, whole: false };
    }
  }
  return { pair, node, whole: true };
}

/** Whether a node has a place of its own, which an empty value does not. */
function stands(node: unknown): boolean {
  return (
    node !== null && node !== undefined && !(isScalar(node) && node.source === "" && node.value === null)
  );
}

function empty(file: string, findings: Finding[], value: unknown): ParsedYaml {
  const place = () => ({ file, line: 1, col: 1 });
  return { value, findings, holes: [], place, keyPlace: place, written: () => undefined };
}

/**
 * Parses one YAML 1.2 document (core schema; no anchors, tags, directives or merge keys).
 * @param text at most a mebibyte, without byte order mark
 * @param file the name for the findings' places
 */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter();
  const at = (offset: number): Place => ({ file, ...lines.linePos(Math.min(offset, text.length)) });
  const finding = ({ code, what, offset, fix }: Refusal): Finding => ({ code, what, where: at(offset), fix });

  const { documents, refusal } = compose(text, lines);
  if (refusal) return empty(file, [finding(refusal)], undefined);
  const [document, second] = documents;
  const broken = documents.flatMap((one) => one.errors);
  if (broken.length > 0) return empty(file, syntaxFindings(text, file, broken, lines), undefined);
  if (!document) return empty(file, [], null);

  const contents: ParsedNode | null = document.contents;
  const { value, refusals, holes, pairs } = plainValue(contents);
  const [warning] = document.warnings;
  if (second) {
    const offset = second.range[0];
    refusals.push({
      code: "YAML_UNSUPPORTED",
      what: "a file holds one document",
      offset,
      fix: "remove the second `---`, or split the file",
    });
  }
  if (warning && !refusals.some(({ code }) => code === "YAML_UNSUPPORTED")) {
    refusals.push({
      code: "YAML_UNSUPPORTED",
      what: brief(warning.message),
      offset: warning.pos[0],
      fix: "remove it",
    });
  }
  const place = (path: Path): Place => {
    const { pair, node } = follow(contents, pairs, path);
    return at(offsetOf(pair && !stands(node) ? pair.key : node));
  };
  return {
    value,
    findings: refusals.map(finding),
    holes,
    place,
    keyPlace: (path) => {
      const { pair, whole } = follow(contents, pairs, path);
      return pair && whole ? at(offsetOf(pair.key)) : place(path);
    },
    written: (path) => {
      const { node, whole } = follow(contents, pairs, path);
      return whole && isScalar(node) ? node.source : undefined;
    },
  };
}
