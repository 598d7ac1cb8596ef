import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import { isRefusal } from "../../files/refused.ts";

/** Where documents, Dockerfiles and what they copy stand, and how deep: `fragments/<name>/<version>/<file>`. */
const OWN_NAMES = ["control_plane", "factory.lock", "factory.yaml", "fragments", "manifests", "templates"];
const DEPTH = 4;

/** As many links as Linux follows on the way to a file. */
const MOST_LINKS = 40;

/** Whether there is a link. What lies below a file is not there. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch (error) {
    if (isRefusal(error) && error.code === "ENOTDIR") return false;
    throw error;
  }
}

/**
 * All names that a path of the workspace goes by on the way to what it leads to: a name for each link on the way, the real one
 * last. What is not there has no further name.
 * @param root real path of the workspace
 * @param path from there, with `/`
 */
export function trailOf(root: string, path: string): string[] {
  const trail: string[] = [];
  let at: string[] = [];
  let rest = path.split("/");
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length === 0) return trail;
      at.pop();
      continue;
    }
    const here = [...at, part];
    if (!isLink(join(root, ...here))) {
      at = here;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return trail;
    trail.push([...here, ...rest].join("/"));
    const target = readlinkSync(join(root, ...here));
    const isInside = target === root || target.startsWith(`${root}/`);
    if (posix.isAbsolute(target) && !isInside) return trail;
    if (isInside) at = [];
    rest = [...(isInside ? target.slice(root.length) : target).split("/"), ...rest];
  }
  return [...trail, at.join("/")];
}

/** The links among the workspace's own files and folders, by their names there. */
function linksIn(root: string): string[] {
  const found: string[] = [];
  const look = (path: string, depth: number): void => {
    try {
      const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (stats?.isSymbolicLink()) found.push(path);
      if (!stats || stats.isFile() || depth === DEPTH) return;
      for (const name of readdirSync(join(root, path))) look(`${path}/${name}`, depth + 1);
    } catch (error) {
      // Something that is not a folder, or leads nowhere, has nothing in it.
      if (!(error instanceof Error && "syscall" in error)) throw error;
    }
  };
  for (const name of OWN_NAMES) look(name, 1);
  return found;
}

/** The names of a path and of all folders above it, nearest first; not the root. */
export function upwards(path: string): string[] {
  const names = [path];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    names.push(path.slice(0, at));
  return names;
}

/**
 * Gives the other names of what changed: those that links of the workspace give it, and the one that it really has.
 * @param root real path of the workspace
 */
export function createNaming(root: string): (path: string) => string[] {
  /** Links by each name on their way, and by each folder above such a name. */
  const through = new Map<string, Set<string>>();
  const above = new Map<string, Set<string>>();
  const add = (map: Map<string, Set<string>>, name: string, link: string) =>
    map.set(name, (map.get(name) ?? new Set()).add(link));
  for (const link of linksIn(root))
    for (const name of trailOf(root, link).filter((one) => one !== link)) {
      const [, ...folders] = upwards(name);
      add(through, name, link);
      for (const folder of folders) add(above, folder, link);
    }
  return (path) => {
    const names = new Set(trailOf(root, path));
    for (const name of upwards(path))
      for (const link of through.get(name) ?? []) names.add(link + path.slice(name.length));
    // A folder on the way that is a link itself.
    for (const link of above.get(path) ?? []) names.add(link);
    names.delete(path);
    return [...names];
  };
}
