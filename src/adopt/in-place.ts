import { realpathSync } from "node:fs";
import { relative, sep } from "node:path";
import { isRefusal } from "../files/refused.ts";
import { ignorePatterns } from "./docker-ignore.ts";
import type { NotCarried } from "./outline.ts";

/** A source that stays where it is. */
export interface InPlace {
  /** From the workspace's root; `.` for the root itself. */
  path: string;
  ignore: readonly string[];
}

/** What the paths of sources may have. */
const PLAIN = /^[A-Za-z0-9._@+-]+(\/[A-Za-z0-9._@+-]+)*$/;

/** What a workspace has of its own. */
const OWN = [
  "manifests",
  "fragments",
  "templates",
  "control_plane",
  "factory.yaml",
  "factory.lock",
  ".gitignore",
];

/** Where a context lies in the folder of the workspace; undefined if it is not in there, or cannot be named. */
export function placeIn(root: string, context: string): string | undefined {
  try {
    const path = relative(realpathSync.native(root), realpathSync.native(context)).split(sep).join("/");
    if (path === "") return ".";
    return path.startsWith("..") || !PLAIN.test(path) ? undefined : path;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

/**
 * What a .dockerignore leaves out, as the lines of a .gitignore say it.
 * @param file the Dockerfile, for what cannot be said: git lets in nothing in a folder that it leaves out
 */
export function ignoreLines(
  text: string,
  path: string,
  file: string,
): { ignore: string[]; notCarried: NotCarried[] } {
  const ignore: string[] = path === "." ? OWN.map((name) => `/${name}`) : [];
  const notCarried: NotCarried[] = [];
  for (const { text: line, negated, body } of ignorePatterns(text)) {
    if (negated && body.includes("/"))
      notCarried.push({
        file,
        line: 1,
        what: `${line} of its .dockerignore`,
        why: "a source lets in nothing in a folder that it leaves out: see whether this is such a folder",
      });
    ignore.push(`${negated ? "!" : ""}${body.startsWith("**/") ? body : `/${body}`}`);
  }
  return { ignore, notCarried };
}
