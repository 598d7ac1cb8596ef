import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isRefusal } from "./refused.ts";

/** As many links as Linux follows on the way to a file. */
const MOST_LINKS = 40;

/** What a link leads to, as it is written; undefined if there is something else, or nothing. */
function targetOf(path: string): string | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (isRefusal(error) && error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * Where a link of the workspace leads, through all links on its way. What does not exist leads nowhere else. An absolute
 * target is outside: it means another place on each machine, and in the image.
 * @param root real path of the workspace
 * @param path of the link, from there, with `/`; the folders on the way to it are no links
 * @throws an error of the file system
 */
export function linkEnd(root: string, path: string): "inside" | "outside" | "circle" {
  let at: string[] = [];
  let rest = path.split("/");
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return "outside";
      at.pop();
      continue;
    }
    const here = [...at, part];
    const target = targetOf(join(root, ...here));
    if (target === undefined) {
      at = here;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return "circle";
    if (target.startsWith("/")) return "outside";
    rest = [...target.split("/"), ...rest];
  }
  return "inside";
}
