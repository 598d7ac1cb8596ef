import { stripVTControlCharacters } from "node:util";
import { escaped } from "../model/pattern.ts";
import { visible } from "../model/visible.ts";

/** How a failure shows itself, without what differs from one attempt to the next. */
export interface Failure {
  stage: string;
  class: string | null;
  /** Tests that did not pass. */
  tests: readonly string[];
  /** The last lines of the log. */
  lines: readonly string[];
  /** Words that stand for the cell itself, such as its versions and its platform. */
  own: readonly string[];
}

/** The longest line that is looked at, and the longest that is kept. */
const LONGEST_READ = 2000;
const LONGEST = 200;

/** What differs between two attempts that fail in the same way; the first that matches. */
const VARYING: readonly [RegExp, string][] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?/g, "<time>"],
  [/\b\d\d:\d\d:\d\d([.,]\d{1,9})?/g, "<time>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\bsha(256|512):[0-9a-f]{6,128}/gi, "<digest>"],
  [/\b0x[0-9a-f]{1,16}\b/gi, "<address>"],
  [/\b(?=[a-f]{0,40}\d)[0-9a-f]{12,128}\b/gi, "<digest>"],
  [/\b\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?\b/g, "<address>"],
  [/(\/var)?\/tmp\/[^\s:'"`]{1,200}/g, "<path>"],
  [/\d{1,20}(\.\d{1,20}){0,10}/g, "N"],
];

const TELLING =
  /error|exception|fail|fatal|panic|not found|no such|cannot|can't|could not|unable|denied|refused|invalid|missing|undefined|unexpected|expected/i;
/** Says that something failed, but not what. */
const EMPTY_WORDS =
  /^(error:? ?)?(failed|process .* did not complete successfully|exit(ed)? (with |code |status )|make(\[N\])?: \*\*\*|npm err! (code|errno|a complete log)|traceback \()/i;

/** A line without terminal sequences, without what BuildKit puts before it, and without what varies. */
export function normalLine(text: string, own: readonly string[] = []): string {
  let line = stripVTControlCharacters(text.slice(0, LONGEST_READ))
    .replace(/^\s*#\d{1,6}\s+(\d{1,9}\.\d{1,9}\s+)?/, "")
    .replace(/\s+/g, " ")
    .trim();
  for (const word of [...own].filter(({ length }) => length > 2).sort((a, b) => b.length - a.length))
    line = line.replace(new RegExp(`(?<![\\w.])${escaped(word)}(?![\\w]|\\.\\d)`, "g"), "<cell>");
  for (const [pattern, by] of VARYING) line = line.replace(pattern, by);
  return visible(line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line);
}

/** The line that says most about a failure; empty if there is none. */
function tellingLine(lines: readonly string[], own: readonly string[]): string {
  const normal = lines.map((line) => normalLine(line, own)).filter((line) => /[\p{L}\p{N}]/u.test(line));
  const telling = normal.filter((line) => TELLING.test(line) && !EMPTY_WORDS.test(line));
  // Of a trace of calls the last line names the error.
  return telling.at(-1) ?? normal.filter((line) => !EMPTY_WORDS.test(line)).at(-1) ?? normal.at(-1) ?? "";
}

/** What is the same in all failures with one root cause, for people: `smoke smoke-test core/runs: ModuleNotFoundError: …`. */
export function signatureOf({ stage, class: cause, tests, lines, own }: Failure): string {
  const where = [stage, ...(cause === null || cause === stage ? [] : [cause]), [...tests].sort().join(", ")]
    .filter((part) => part !== "")
    .map(visible)
    .join(" ");
  // A smoke test's lines begin with its id, which is named already.
  const bare = lines.map((line) => {
    const test = tests.find((id) => line.startsWith(`${id}: `));
    return test === undefined ? line : line.slice(test.length + 2).replace(/^got /, "");
  });
  const line = tellingLine(bare, own);
  return line === "" ? where : `${where}: ${line}`;
}
