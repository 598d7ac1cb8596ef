import { escaped } from "../model/pattern.ts";
import { type IgnoreLine, readLine } from "./ignore-rules.ts";

/*
 * Patterns of a Dockerfile.dockerignore as github.com/moby/patternmatcher reads them: `*` and `?` stay within a name, `**`
 * crosses folders, `\` takes a character for itself, and a pattern that matches a folder holds for everything in it. Spaces
 * at both ends of a line are dropped, and there is no pattern for folders alone.
 */

/** A pattern of a Dockerfile.dockerignore. */
export interface Pattern {
  /** The line. */
  text: string;
  /** Whether it lets in what it matches. */
  negated: boolean;
  /** What it matches: paths from the workspace's root. */
  matches: (path: string) => boolean;
  /** Its parts, as far as they are names, `*` and `**`. */
  parts: readonly string[];
}

/** Characters that mean something in a pattern, or in the regular expression that is made of it, or at a line's start. */
const SPECIAL = /[\\[\]*?^!#]/g;

const UNSEEN: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Spaces at the end, which would be dropped. */
function keepSpaces(text: string): string {
  return text.replace(/\p{White_Space}$/u, "[$&]").replace(/^\p{White_Space}/u, "[$&]");
}

/** The pattern that means one path alone. A line break is written as the regular expression knows it. */
export function dockerPattern(path: string): string {
  return keepSpaces(path.replace(SPECIAL, "\\$&")).replace(/[\n\r\t]/g, (one) => UNSEEN[one] ?? one);
}

/** Gitignore syntax that means the same to Docker: names with `*`, and `**` as a whole name. */
const SHARED = /^[^\\[\]?\n\r\t]+$/;

/** Whether a name matches one part of a pattern. */
function matchesName(part: string, name: string): boolean {
  return new RegExp(`^${part.split("*").map(escaped).join("[^/]*")}$`, "su").test(name);
}

/** What a pattern of whole parts matches. */
function matcherOf(parts: readonly string[]): (path: string) => boolean {
  let source = "";
  for (const [at, part] of parts.entries()) {
    if (part === "**") source += "([^\\n]*\\/)?";
    else source += part.split("*").map(escaped).join("[^/]*") + (at === parts.length - 1 ? "" : "\\/");
  }
  const regex = new RegExp(`^${source}$`, "u");
  return (path) => regex.test(path);
}

/** The parts of a line below a source; undefined if it says nothing about it, or not in a way that Docker knows. */
function partsBelow(
  folder: string,
  anchored: boolean,
  parts: string[],
  source: string,
): string[] | undefined {
  const base = source === "." ? [] : source.split("/");
  const outer = folder === "" ? [] : folder.split("/");
  if (outer.length > base.length || !anchored) {
    const own = outer.length > base.length ? outer : base;
    return anchored ? [...own, ...parts] : [...own, ...(parts[0] === "**" ? [] : ["**"]), ...parts];
  }
  // A pattern of a folder above leads through the source's own path.
  const way = base.slice(outer.length);
  const head = parts.slice(0, way.length);
  if (parts.length <= way.length || head.includes("**")) return undefined;
  return head.every((part, at) => matchesName(part, way[at] ?? ""))
    ? [...base, ...parts.slice(way.length)]
    : undefined;
}

/** A line of gitignore syntax as a pattern about what is below a source; undefined if Docker has none that is close. */
export function translated({ folder, text }: IgnoreLine, source: string): Pattern | undefined {
  const line = readLine(text);
  if (!line || !SHARED.test(line.body) || /[*\n\r\t]/.test(folder)) return undefined;
  const parts = line.body.replace(/\/$/, "").split("/");
  // What matches everything in a folder, at any depth, matches what is directly in it.
  if (parts.at(-1) === "**") parts.splice(-1, 1, "*");
  if (
    parts.some(
      (part) => part === "" || part === "." || part === ".." || /\*\*./.test(part) || /.\*\*/.test(part),
    )
  )
    return undefined;
  const whole = partsBelow(folder, line.anchored, parts, source);
  if (!whole) return undefined;
  const written = whole.map((part, at) => {
    const isOwn = at >= whole.length - parts.length;
    return isOwn ? part.replace(/[\^!#]/g, "\\$&") : part === "**" ? part : dockerPattern(part);
  });
  return {
    text: `${line.negated ? "!" : ""}${keepSpaces(written.join("/"))}`,
    negated: line.negated,
    matches: matcherOf(whole),
    parts: whole,
  };
}

/**
 * Git lets in nothing in a folder that it leaves out, but Docker does where a later pattern says so. These patterns, put after
 * all others, leave out what is in folders of a certain name, such as node_modules.
 */
export function closing(patterns: readonly Pattern[]): Pattern[] {
  const lettingIn = patterns.filter(({ negated }) => negated);
  if (lettingIn.length === 0) return [];
  const names = new Set(lettingIn.map(({ parts }) => parts.at(-1)));
  return patterns.flatMap((pattern): Pattern[] => {
    const name = pattern.parts.at(-1) ?? "";
    if (pattern.negated || name.includes("*") || names.has(name)) return [];
    const { matches } = pattern;
    return [
      {
        text: `${pattern.text}/**`,
        negated: false,
        matches: (path) => foldersOf(path).some((folder) => matches(folder)),
        parts: [...pattern.parts, "**"],
      },
    ];
  });
}

/** All folders above a path. */
function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

/** Whether a pattern that lets something in may do so below a folder. */
export function reachesBelow({ negated, parts }: Pattern, folder: string): boolean {
  return negated && (parts.includes("**") || parts.length > folder.split("/").length);
}

/** Which patterns match a path or hold for a folder above it, and what they come to. */
interface Verdicts {
  matched: readonly boolean[];
  excluded: boolean;
}

/**
 * What patterns say of paths in a source that is let in: the last one counts. As the original does
 * (MatchesUsingParentResults), a pattern that would change nothing is not tried, and then does not hold for what is below.
 */
export function verdictsOf(
  patterns: readonly Pattern[],
): (path: string, folder: Verdicts | undefined) => Verdicts {
  return (path, folder) => {
    const matched: boolean[] = [];
    let excluded = false;
    for (const [at, { negated, matches }] of patterns.entries()) {
      let match = folder?.matched[at] ?? false;
      if (!match && negated === excluded) match = matches(path);
      matched.push(match);
      if (match) excluded = !negated;
    }
    return { matched, excluded };
  };
}
