import ignore, { type Ignore } from "ignore";
import type { TreeRules } from "../files/read-tree.ts";

/** A line of gitignore syntax. */
export interface IgnoreLine {
  /** The folder whose contents it is about, from the workspace's root; empty for the root. */
  folder: string;
  text: string;
}

/**
 * What is never part of a source, unless its own `ignore` says `!.git`: what git, and Factory itself, write, and what belongs
 * to one machine.
 */
export const OWN_LINES: readonly IgnoreLine[] = [".git", "/.factory", "/records", "/factory.local.yaml"].map(
  (text) => ({
    folder: "",
    text,
  }),
);

/** The lines of a .gitignore, as git reads them: without a byte order mark, and with either kind of line end. */
export function gitignoreLines(folder: string, text: string): IgnoreLine[] {
  return text
    .replace(/^\ufeff/, "")
    .split("\n")
    .map((line) => ({ folder, text: line.replace(/\r$/, "") }));
}

/** A path as a pattern that means it alone. */
const literal = (path: string): string => path.replace(/[\\[\]*?]/g, "\\$&");

/** The parts of a line; undefined for a comment and an empty one. */
export function readLine(text: string): { negated: boolean; anchored: boolean; body: string } | undefined {
  if (text.startsWith("#")) return undefined;
  const negated = text.startsWith("!");
  // Git drops spaces at the end, except one after a backslash.
  const body = (negated ? text.slice(1) : text).replace(/^((?:[^\\]|\\[^])*?) +$/, "$1");
  if (body === "" || body === "/") return undefined;
  const anchored = body.slice(0, -1).includes("/");
  return { negated, anchored, body: body.replace(/^\//, "") };
}

/** The line as one of the workspace's root. */
function fromRoot({ folder, text }: IgnoreLine): string | undefined {
  const line = readLine(text);
  if (!line) return undefined;
  const { negated, anchored, body } = line;
  const above = folder === "" ? "" : `${literal(folder)}/`;
  // Only at the start of a line do `#` and `!` have to be escaped.
  const own = above === "" ? body : body.replace(/^\\([#!])/, "$1");
  const pattern = anchored ? `/${above}${own}` : above === "" ? own : `/${above}**/${own}`;
  return `${negated ? "!" : ""}${pattern}`;
}

/** How many answers the library keeps before it is made anew. */
const MOST_ANSWERS = 50_000;

function compile(lines: readonly IgnoreLine[]): Ignore {
  const patterns = lines.map(fromRoot).filter((one) => one !== undefined);
  return ignore({ ignoreCase: false }).add(patterns);
}

/** Whether lines leave out a file, or a folder that it lies in: its path is from the workspace's root. */
export function leftOutBy(lines: readonly IgnoreLine[]): (path: string) => boolean {
  let matcher: Ignore | undefined;
  return (path) => (matcher ??= compile(lines)).ignores(path);
}

/**
 * A test of a name that is false only where no line can match it. Most files of a source match none, and asking the library
 * about each took half of the time that a tree with known hashes takes.
 */
function mayMatch(lines: readonly IgnoreLine[]): (name: string) => boolean {
  const ends: string[] = [];
  for (const { text } of lines) {
    const line = readLine(text);
    if (!line || line.negated) continue;
    const end = line.body.replace(/\/$/, "").split("/").at(-1) ?? "";
    if (/[[\]\\?]/.test(end)) return () => true;
    ends.push(end.replace(/[.+^${}()|]/g, "\\$&").replace(/\*+/g, "[^]*"));
  }
  const regex = new RegExp(`^(?:${ends.join("|")})$`);
  return (name) => regex.test(name);
}

/**
 * Rules in gitignore syntax, of which the last that matches counts, as in git.
 * @param lines those of folders above and of the source itself, the outermost first
 * @param below further lines of a folder that is entered; the names are those in it
 * @param last lines that count more than all others
 */
export function ignoreRules(
  lines: readonly IgnoreLine[],
  below: (folder: string, names: readonly string[]) => readonly IgnoreLine[],
  last: readonly IgnoreLine[],
): TreeRules {
  const all = [...lines, ...last];
  const isCandidate = mayMatch(all);
  let matcher: Ignore | undefined;
  let answers = 0;
  const rules: TreeRules = {
    ignores: (path, isFolder) => {
      if (!isCandidate(path.slice(path.lastIndexOf("/") + 1))) return false;
      answers += 1;
      if (!matcher || answers % MOST_ANSWERS === 0) matcher = compile(all);
      return matcher.ignores(isFolder ? `${path}/` : path);
    },
    within: (folder, names) => {
      const more = below(folder, names);
      return more.length === 0 ? rules : ignoreRules([...lines, ...more], below, last);
    },
  };
  return rules;
}
