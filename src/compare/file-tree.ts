import { cleanPath, foldersAbove } from "../sbom/paths.ts";
import { type Change, compareEntries } from "./compare-images.ts";
import { unpackEntry } from "./file-entry.ts";
import { readEntries, type ReadOptions } from "./layer-entries.ts";
import { type StoredImage, unreadable } from "./stored-image.ts";

/** The files of an image as a container sees them. */
export interface FileTree {
  /** By path, as `packEntry` writes them; a hard link is the file that it names. */
  entries: Map<string, string>;
  /** How many bytes each layer unpacks to. */
  unpacked: number[];
  /** Places of layers with names that are not spelled as paths from the root. */
  oddlyNamed: number[];
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** The most files of an image: its tree is in memory. */
const MOST_FILES = 2_000_000;
/** How many hard links may lead to each other. */
const MOST_LINKS = 40;

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** What a layer takes away from those below it. */
function removals(layer: ReadonlyMap<string, string>, tree: ReadonlyMap<string, string>) {
  const paths = new Set<string>();
  const contents = new Set<string>();
  for (const [path, entry] of layer) {
    const base = baseOf(path);
    if (base === OPAQUE) contents.add(folderOf(path));
    else if (base.startsWith(WHITEOUT)) {
      const folder = folderOf(path);
      paths.add(`${folder === "" ? "" : `${folder}/`}${base.slice(WHITEOUT.length)}`);
    } else if (!entry.startsWith("directory ") && tree.get(path)?.startsWith("directory ")) paths.add(path);
  }
  return { paths, contents };
}

/** The file that a hard link names, in its own layer or below; the link itself if there is none. */
function linked(
  entry: string,
  layer: ReadonlyMap<string, string>,
  tree: ReadonlyMap<string, string>,
): string {
  let found = entry;
  for (let links = 0; links < MOST_LINKS && found.startsWith("link "); links += 1) {
    const target = cleanPath(unpackEntry(found).content);
    const next = target === null ? undefined : (layer.get(target) ?? tree.get(target));
    if (next === undefined) return entry;
    found = next;
  }
  return found.startsWith("link ") ? entry : found;
}

/** Puts a layer on a tree. */
function addLayer(tree: Map<string, string>, layer: ReadonlyMap<string, string>): void {
  const { paths, contents } = removals(layer, tree);
  if (paths.size + contents.size > 0)
    for (const path of tree.keys()) {
      const above = [...foldersAbove(path)];
      const isGone = paths.has(path) || above.some((folder) => paths.has(folder) || contents.has(folder));
      if (isGone) tree.delete(path);
    }
  const added = [...layer].filter(([path]) => path !== "" && !baseOf(path).startsWith(WHITEOUT));
  const resolved = added.map(([path, entry]) => [path, linked(entry, layer, tree)] as const);
  for (const [path, entry] of resolved) tree.set(path, entry);
}

/** Reads all layers of an image, one after the other. @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED */
export async function readTree(image: StoredImage, options: ReadOptions): Promise<FileTree> {
  const tree: FileTree = { entries: new Map(), unpacked: [], oddlyNamed: [] };
  for (const at of image.layers.keys()) {
    const { entries, unpacked, isPlain } = await readEntries(image, at, { ...options, lastWins: true });
    addLayer(tree.entries, entries);
    tree.unpacked.push(unpacked);
    if (!isPlain) tree.oddlyNamed.push(at);
    if (tree.entries.size > MOST_FILES) throw unreadable(image.title, `it has more than ${MOST_FILES} files`);
  }
  return tree;
}

/** Where the files of two images differ, whatever layers they are in. */
export function compareTrees(before: FileTree, after: FileTree): { changes: Change[]; times: number } {
  return compareEntries(before.entries, after.entries);
}
