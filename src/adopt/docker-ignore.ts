import { escaped } from "../model/pattern.ts";

/** A pattern as a regular expression, as github.com/moby/patternmatcher makes it. */
function regexOf(pattern: string): RegExp | undefined {
  let source = "^";
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? "";
    if (pattern.startsWith("**", at)) {
      at += pattern[at + 2] === "/" ? 2 : 1;
      source += at >= pattern.length - 1 ? ".*" : "(.*\\/)?";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "\\") {
      at += 1;
      source += escaped(pattern[at] ?? "");
    } else if (char === "[" || char === "]") source += char;
    else source += escaped(char);
  }
  try {
    return new RegExp(`${source}$`, "su");
  } catch {
    return undefined;
  }
}

/** A pattern of a .dockerignore, from the context, without slashes at its ends. */
interface IgnorePattern {
  /** The line as it is written. */
  text: string;
  negated: boolean;
  body: string;
}

/** The patterns of a .dockerignore, in their order. */
export function ignorePatterns(text: string): IgnorePattern[] {
  return text.split("\n").flatMap((line) => {
    const clean = line.replace(/^\ufeff/, "").trim();
    if (clean === "" || clean.startsWith("#")) return [];
    const negated = clean.startsWith("!");
    const body = clean
      .slice(negated ? 1 : 0)
      .trim()
      .replace(/^(\.?\/)+/, "")
      .replace(/\/+$/, "");
    return body === "" || body === "." ? [] : [{ text: clean, negated, body }];
  });
}

/**
 * What a .dockerignore leaves out: the last pattern that matches a path, or a folder above it, counts.
 * @returns for a path from the context, with `/`, whether it is left out
 */
export function dockerIgnored(text: string): (path: string) => boolean {
  const patterns = ignorePatterns(text).flatMap(({ negated, body }) => {
    const regex = regexOf(body);
    return regex ? [{ negated, regex }] : [];
  });
  return (path) => {
    const parts = path.split("/");
    let excluded = false;
    for (const { negated, regex } of patterns) {
      if (negated !== excluded) continue;
      if (parts.some((_, at) => regex.test(parts.slice(0, at + 1).join("/")))) excluded = !negated;
    }
    return excluded;
  };
}
