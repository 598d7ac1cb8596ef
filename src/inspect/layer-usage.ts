import { createHash } from "node:crypto";
import { hasBytes, oddPath, pathText } from "../compare/file-entry.ts";
import { eachEntry, type ReadOptions } from "../compare/layer-entries.ts";
import { type StoredImage, unreadable } from "../compare/stored-image.ts";
import { baseOf, cleanPath, folderOf, foldersAbove } from "../sbom/paths.ts";

/** What one layer takes, in bytes of the files that it unpacks to. */
export interface Usage {
  files: number;
  bytes: number;
  /**
   * Of files that it writes again: in the place of one that a lower layer has, which stays in that layer, or with the same bytes as
   * a file that the image has already.
   */
  duplicated_bytes: number;
  /** Of files that a later layer deletes: no container sees them, and the layer still has them. */
  deleted_bytes: number;
}

/** A file that takes bytes for nothing. */
export interface Wasted {
  /** As people read it. */
  path: string;
  how: "duplicated" | "deleted";
  bytes: number;
  /** The layer that has it, from 1. */
  layer: number;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** How many of the files that take most for nothing are named. */
const NAMED = 20;
/** The most paths of one image that are in memory. */
const MOST_PATHS = 4_000_000;

/** A folder, in place of a file's layer and size. */
const FOLDER = -1;
/** More than a layer has bytes. A file is its layer's place times this, and its size, in one number: a million files are no objects. */
const PLACE = 2 ** 42;
const sizeOf = (file: number): number => (file < 0 ? 0 : file % PLACE);

/** The files that take most for nothing, in one order. */
function createList() {
  let list: Wasted[] = [];
  const order = (a: Wasted, b: Wasted) =>
    b.bytes - a.bytes || (a.path < b.path ? -1 : 1) || a.layer - b.layer;
  return {
    add: (key: string, rest: Omit<Wasted, "path">): void => {
      if (rest.bytes === 0 || (list.length >= NAMED && rest.bytes < (list.at(-1)?.bytes ?? 0))) return;
      list = [...list, { path: pathText(key), ...rest }].sort(order).slice(0, NAMED);
    },
    all: (): Wasted[] => list,
  };
}

/** What a layer takes away from those below it. */
function createRemovals() {
  const paths = new Set<string>();
  const folders = new Set<string>();
  return {
    /** Whether a path is a whiteout, which is then taken. */
    take: (path: string): boolean => {
      const base = baseOf(path);
      if (!base.startsWith(WHITEOUT)) return false;
      const folder = folderOf(path);
      if (base === OPAQUE) folders.add(folder);
      else paths.add(`${folder === "" ? "" : `${folder}/`}${base.slice(WHITEOUT.length)}`);
      return true;
    },
    replace: (path: string): void => void paths.add(path),
    isNothing: (): boolean => paths.size + folders.size === 0,
    covers: (path: string): boolean => {
      if (paths.has(path)) return true;
      for (const folder of foldersAbove(path)) if (paths.has(folder) || folders.has(folder)) return true;
      return false;
    },
  };
}

/**
 * What each layer of an image takes. Layers are read as streams, one after the other; of a path no more than its name and its size
 * is kept.
 * @throws FactoryError IMAGE_UNREADABLE, INTERRUPTED
 */
export async function usageOf(
  image: StoredImage,
  options: Pick<ReadOptions, "signal" | "onBytes">,
): Promise<{ layers: Usage[]; wasted: Wasted[] }> {
  const tree = new Map<string, number>();
  const contents = new Set<string>();
  const wasted = createList();
  const layers: Usage[] = image.layers.map(() => ({
    files: 0,
    bytes: 0,
    duplicated_bytes: 0,
    deleted_bytes: 0,
  }));
  for (const [at, usage] of layers.entries()) {
    const own = new Map<string, number>();
    const removals = createRemovals();
    await eachEntry(image, at, options, async ({ name, type, size }, stream) => {
      const hash = createHash("sha256");
      for await (const piece of stream) hash.update(piece);
      const path = cleanPath(name) ?? oddPath(name);
      if (path === "" || removals.take(path)) return;
      if (type === "directory") {
        own.set(path, FOLDER);
        return;
      }
      if (own.size + tree.size > MOST_PATHS)
        throw unreadable(image.title, `it has more than ${MOST_PATHS} files`);
      const bytes = hasBytes(type) ? size : 0;
      // A tar may name a path twice.
      const before = own.get(path) ?? tree.get(path) ?? 0;
      own.set(path, at * PLACE + bytes);
      usage.files += 1;
      usage.bytes += bytes;
      if (tree.get(path) === FOLDER) removals.replace(path);
      const content = bytes === 0 ? "" : hash.digest("binary").slice(0, 16);
      const twice = contents.has(content) ? bytes : sizeOf(before);
      if (bytes > 0) contents.add(content);
      usage.duplicated_bytes += twice;
      wasted.add(path, { how: "duplicated", bytes: twice, layer: at + 1 });
    });
    if (!removals.isNothing())
      for (const [path, file] of tree) {
        if (!removals.covers(path)) continue;
        tree.delete(path);
        const below = layers[Math.floor(file / PLACE)];
        if (own.has(path) || file === FOLDER || !below) continue;
        below.deleted_bytes += sizeOf(file);
        wasted.add(path, { how: "deleted", bytes: sizeOf(file), layer: Math.floor(file / PLACE) + 1 });
      }
    for (const [path, file] of own) tree.set(path, file);
  }
  return { layers, wasted: wasted.all() };
}
