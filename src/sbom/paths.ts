/** A path in an image: without a leading or trailing `/`, `.` or `..`; the root is the empty text. */
export type ImagePath = string;

const LONGEST_PATH = 4096;

/** The path of a tar entry, or null if it may not be used: it has `..` or NUL, or is longer than 4096. */
export function cleanPath(name: string): ImagePath | null {
  if (name.length > LONGEST_PATH || name.includes("\0")) return null;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? null : parts.join("/");
}

/** The folders above a path, nearest first, ending with the root. */
export function* foldersAbove(path: ImagePath): Generator<ImagePath> {
  let end = path.lastIndexOf("/");
  while (end > 0) {
    yield path.slice(0, end);
    end = path.lastIndexOf("/", end - 1);
  }
  if (path !== "") yield "";
}

export function folderOf(path: ImagePath): ImagePath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseOf(path: ImagePath): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** A set of paths in eight bytes each. With a probability of 2^-53, it takes another path for one of its own. */
export interface PathSet {
  add: (path: ImagePath) => void;
  has: (path: ImagePath) => boolean;
  /** The hashes of the paths, sorted: enough to make the same set again. */
  hashes: () => Float64Array;
}

/** 53 bits of two interleaved multiplicative hashes, for sets that need not resist an attacker. */
function hashOf(path: string): number {
  let high = 0x9e3779b9;
  let low = 0x7f4a7c15;
  for (let i = 0; i < path.length; i += 1) {
    const unit = path.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    low = Math.imul(low ^ unit, 0xc2b2ae35);
    high ^= low >>> 15;
    low ^= high >>> 13;
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}

/** @param hashes of another set, to which this one is then equal */
export function createPathSet(hashes: Float64Array<ArrayBuffer> = new Float64Array(0)): PathSet {
  let added: number[] = [];
  let sorted = hashes;
  const settle = () => {
    if (added.length === 0) return;
    const all = new Float64Array(sorted.length + added.length);
    all.set(sorted);
    all.set(added, sorted.length);
    sorted = all.sort();
    added = [];
  };
  return {
    add: (path) => void added.push(hashOf(path)),
    has: (path) => {
      settle();
      const wanted = hashOf(path);
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
        else high = middle;
      }
      return sorted[low] === wanted;
    },
    hashes: () => {
      settle();
      return sorted;
    },
  };
}
