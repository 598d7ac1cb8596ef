import { csvFields, takeFlags } from "./words.ts";

/** Marks where a rendered value starts and ends; neither can be part of a value. */
export const VALUE_START = "\u0001";
export const VALUE_END = "\u0002";

/** One instruction of a Dockerfile. */
export interface Instruction {
  /** In upper case and with value marks, such as `RUN`. */
  keyword: string;
  /** What follows the keyword on its logical line, with value marks. */
  rest: string;
  /** The line it starts on, from 1, and the last one before its here-documents. */
  line: number;
  end: number;
  /** Its last line, from 1, with its here-documents. */
  last: number;
  /** Whether a value determines where its here-documents start or end, or which flags it has. */
  shapedByValue: boolean;
  /** Why the text ends before the instruction does, or why its end cannot be determined. */
  unclear?: string;
}

/** What BuildKit treats as white space: Unicode's White_Space without the newline. */
const SPACE = "\\t\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
export const BLANK_OR_COMMENT = new RegExp(`^[${SPACE}]*(#|$)`);
const IS_SPACE = new RegExp(`[${SPACE}]`);
const WORDS = new RegExp(`^[${SPACE}]*([^${SPACE}]+)[${SPACE}]*([\\s\\S]*)$`);
/** A backslash that continues the line; two backslashes do not. */
export const CONTINUED = /(^|[^\\])\\[ \t]*$/;
const HEREDOC = /^\d*<<(-?)([^<]+)$/;
const VALUE = /\u0001[^\u0002]*\u0002/g;
const TAKES_HEREDOC = new Set(["RUN", "COPY", "ADD"]);

/** The text without value marks. */
export function withoutMarks(text: string): string {
  return text.replaceAll(VALUE_START, "").replaceAll(VALUE_END, "");
}

/** Whether a rendered value is part of the text. */
export function holdsValue(text: string): boolean {
  return text.includes(VALUE_START) || text.includes(VALUE_END);
}

/**
 * Where a quoted text or a `${…}` that starts at `from` ends: the index after its last character; -1 if it does not end.
 * They may be nested to any depth.
 */
function endOfGroup(text: string, from: number): number {
  const closing: string[] = [];
  for (let at = from; at < text.length; at += 1) {
    const close = closing.at(-1);
    const char = text[at] ?? "";
    if (char === close) closing.pop();
    else if (char === "\\") at += 1;
    else if (char === "'" && close !== '"') {
      at = text.indexOf("'", at + 1);
      if (at < 0) return -1;
    } else if (char === '"') closing.push('"');
    else if (text.startsWith("${", at)) {
      closing.push("}");
      at += 1;
    }
    if (closing.length === 0) return at + 1;
  }
  return -1;
}

/** The words of a line as BuildKit's shell lexer splits them, with quotes; none if a quote or a brace is left open. */
function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (IS_SPACE.test(char) || char === "\n") {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    let end = char === "\\" ? at + 2 : at + 1;
    if (char === "'" || char === '"' || text.startsWith("${", at)) end = endOfGroup(text, at);
    if (end < 0) return [];
    word += text.slice(at, end);
    at = end - 1;
  }
  return word === "" ? words : [...words, word];
}

/** Whether a word has a `${…}` that BuildKit's shell lexer may refuse; then it finds no here-document. */
function isOdd(word: string): boolean {
  const live = word.replace(/"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]/g, (part) =>
    part.startsWith('"') ? part.replace(/\\[\s\S]/g, "") : "",
  );
  return /\$\{(?![A-Za-z0-9_]+(\}|:?[-+]))/.test(live);
}

/** A word without its quotes and escapes. */
function unquoted(word: string): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])/g, (_, single, double, escaped) =>
    typeof single === "string"
      ? single
      : typeof double === "string"
        ? double.replace(/\\(["$\\])/g, "$1")
        : String(escaped),
  );
}

/** Whether what follows a keyword and its flags is a JSON array of texts. */
export function isExecForm(rest: string): boolean {
  const array = withoutMarks(rest).replace(/^(--\S+\s+)*/, "");
  if (!array.startsWith("[")) return false;
  try {
    return (JSON.parse(array) as unknown[]).every((one) => typeof one === "string");
  } catch {
    return false;
  }
}

interface Heredoc {
  /** The word that starts it, with value marks. */
  word: string;
  delimiter: string;
  /** Whether tabs at the start of its lines are ignored. */
  tabs: boolean;
}

function heredocsOf(keyword: string, rest: string): Heredoc[] {
  const [, inner = "", innerRest = ""] =
    keyword === "ONBUILD" ? (WORDS.exec(rest) ?? []) : ["", keyword, rest];
  if (!TAKES_HEREDOC.has(withoutMarks(inner).toUpperCase()) || isExecForm(innerRest)) return [];
  return shellWords(innerRest).flatMap((word) => {
    const [, dash, name] = HEREDOC.exec(withoutMarks(word)) ?? [];
    return name === undefined ? [] : [{ word, delimiter: unquoted(name), tabs: dash === "-" }];
  });
}

/** Names of the flags that an instruction starts with, and of the options of its mounts. */
function flagNames(keyword: string, rest: string): string[] {
  const { flags, rest: words } = takeFlags(rest);
  const names = flags.flatMap((flag) => {
    const [name = "", value = ""] = flag.split(/=(.*)/s);
    if (name !== "--mount") return [name];
    return [name, ...csvFields(value).map((field) => field.replace(/=.*$/s, ""))];
  });
  if (keyword !== "ONBUILD") return names;
  const [, inner = "", innerRest = ""] = WORDS.exec(words) ?? [];
  return inner === "" ? names : [...names, ...flagNames(inner.toUpperCase(), innerRest)];
}

/** Whether other flags, or other options of mounts, are read than a harmless value would give. */
function hasFlagsOfValue(keyword: string, rest: string): boolean {
  if (!holdsValue(rest)) return false;
  const name = withoutMarks(keyword);
  const there = flagNames(name, withoutMarks(rest));
  const harmless = flagNames(name, rest.replace(VALUE, "x"));
  return there.join("\n") !== harmless.join("\n");
}

/**
 * Splits a Dockerfile into its instructions as BuildKit's parser does (frontend/dockerfile/parser): `\` at the end of a
 * line continues it, comment lines are dropped (also inside a continued instruction), here-documents belong to their
 * instruction. The escape character is `\`: what Factory writes never starts with another `escape` directive.
 */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    let last = lines[at] ?? "";
    if (BLANK_OR_COMMENT.test(last)) continue;
    const line = at + 1;
    let logical = "";
    while (CONTINUED.test(last)) {
      logical += last.replace(CONTINUED, "$1");
      last = "";
      do at += 1;
      while (at < lines.length && BLANK_OR_COMMENT.test(lines[at] ?? ""));
      if (at >= lines.length) break;
      last = lines[at] ?? "";
    }
    let unclear = at >= lines.length ? "the last line ends in `\\`" : undefined;
    logical += last;
    if (BLANK_OR_COMMENT.test(logical)) continue;
    const [, word = "", rest = ""] = WORDS.exec(logical) ?? [];
    const keyword = word.toUpperCase();
    const heredocs = heredocsOf(withoutMarks(keyword), rest);
    const harmless = heredocsOf(withoutMarks(keyword), rest.replace(VALUE, `${VALUE_START}x${VALUE_END}`));
    const isShaped =
      hasFlagsOfValue(keyword, rest) ||
      harmless.some((one) => holdsValue(one.word)) ||
      harmless.map((one) => one.delimiter).join(" ") !== heredocs.map((one) => one.delimiter).join(" ");
    if (heredocs.length > 0 && shellWords(withoutMarks(rest)).some(isOdd))
      unclear =
        "beside a here-document BuildKit only reads `${…}` of the forms `${name}`, `${name:-…}` and `${name:+…}`";
    const instruction: Instruction = {
      keyword,
      rest,
      line,
      end: Math.min(at + 1, lines.length),
      last: Math.min(at + 1, lines.length),
      shapedByValue: isShaped,
      unclear,
    };
    for (const { delimiter, tabs } of heredocs) {
      const isEnd = (body: string) =>
        (tabs ? withoutMarks(body).replace(/^\t+/, "") : withoutMarks(body)) === delimiter;
      do at += 1;
      while (at < lines.length && !isEnd(lines[at] ?? ""));
      if (at >= lines.length) instruction.unclear = `no line \`${delimiter}\` ends the here-document`;
      else instruction.shapedByValue ||= holdsValue(lines[at] ?? "");
    }
    instruction.last = Math.min(at + 1, lines.length);
    instructions.push(instruction);
  }
  return instructions;
}
