/** What a tag may say of a fragment's version. */
export const VERSION_FIELDS = ["version", "major", "minor", "patch"] as const;

/** What a tag may say of a base: `debian` and `bookworm-slim` of `registry.example/debian:bookworm-slim`. */
export const BASE_FIELDS = ["name", "tag"] as const;

/** A value that a tag names. */
export type TagName =
  | { kind: "fragment"; name: string; field: (typeof VERSION_FIELDS)[number] }
  | { kind: "base"; field: (typeof BASE_FIELDS)[number] }
  /** `port`, or `app.port`. */
  | { kind: "arg"; name: string }
  | { kind: "named"; name: string };

/** A piece of a tag: text as it is, or a value. `path` is the name as it was written. */
export type TagPart = string | (TagName & { path: string });

const PLACEHOLDER = /\{\{ *([^{} ]*) *\}\}/;

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}

/**
 * What a name means, by its form: `python.major`, `company.core.version`, `base.tag`, `args.port`, or the name of a named
 * axis. null if it has none of these forms.
 */
function readTagName(path: string): TagName | null {
  const dot = path.lastIndexOf(".");
  if (dot < 0) return path === "" ? null : { kind: "named", name: path };
  const [name, field] = [path.slice(0, dot), path.slice(dot + 1)];
  if (path.startsWith("args.")) return { kind: "arg", name: path.slice("args.".length) };
  if (name === "base" && isOneOf(BASE_FIELDS, field)) return { kind: "base", field };
  return isOneOf(VERSION_FIELDS, field) ? { kind: "fragment", name, field } : null;
}

/** The names in a tag as they are written, each in its place. */
export function tagPaths(tag: string): string[] {
  return tag.split(PLACEHOLDER).filter((_, at) => at % 2 === 1);
}

/**
 * A tag as its pieces. A name in none of the forms is left out: that is a finding of the document.
 * @param tag as the schema of products allows it
 */
export function readTag(tag: string): TagPart[] {
  return tag.split(PLACEHOLDER).flatMap((piece, at): TagPart[] => {
    if (at % 2 === 0) return piece === "" ? [] : [piece];
    const name = readTagName(piece);
    return name ? [{ ...name, path: piece }] : [];
  });
}
