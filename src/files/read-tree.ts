import { isUtf8 } from "node:buffer";
import { type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { FactoryError, type Place } from "../errors.ts";
import { sizeText } from "../model/bytes.ts";
import { compareText } from "../model/compare.ts";
import { grouped } from "../model/count.ts";
import { sha256Hex } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import { type HashCache, openHashCache } from "./hash-cache.ts";
import { hashFile } from "./hash-file.ts";
import { linkEnd } from "./link-end.ts";
import { createPieces, type Listing, listingLine, NOTHING } from "./listing.ts";
import { createMeter } from "./meter.ts";
import { isRefusal } from "./refused.ts";

/** Says what of a tree is left out. Paths are from the workspace's root, with `/`. */
export interface TreeRules {
  /** Asked only for what lies in folders that are not left out themselves. */
  ignores: (path: string, isFolder: boolean) => boolean;
  /** The rules in a folder with these names in it. */
  within: (folder: string, names: readonly string[]) => TreeRules;
}

/** A file, or a folder with what is in it, as it was read. */
export interface Tree extends Listing {
  bytes: number;
  isFolder: boolean;
  /** What the rules leave out: the topmost files and folders, from the workspace's root, in the order of the walk. */
  ignored: readonly { path: string; isFolder: boolean }[];
}

export interface TreeRequest {
  /** Real path of the workspace. */
  root: string;
  /** What is read: from there, with `/` and without links on the way; `.` for the workspace. */
  path: string;
  rules: TreeRules;
  /** Absolute path of the cache of its hashes. */
  cache: string;
  /** Where it is declared. */
  where: Place;
  /** Called about once a second, beginning after a second. */
  onProgress: (text: string) => void;
  /** How many files, folders and links there may be, with those that are left out. Default: 1,000,000. */
  mostEntries?: number;
}

const MOST_ENTRIES = 1_000_000;

/** A tree that is read faster than this is not worth a cache. */
const SMALL = { files: 500, bytes: 8 << 20 };

function changed(path: string, how: string, cause?: unknown): FactoryError {
  return new FactoryError("FILE_CHANGED", `${quoted(path)} ${how} while it was read`, {
    where: { file: path },
    fix: "run the command again, when nothing writes to it",
    cause,
  });
}

/** What `work` gives; an error of the file system as one that a person can act on. */
function reading<T>(path: string, where: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error.code === "ENOENT" || error.code === "ENOTDIR") throw changed(path, "was deleted", error);
    if (error.code === "ELOOP") throw changed(path, "became a link", error);
    throw new FactoryError("FILE_UNREADABLE", `${quoted(path)} cannot be read (${error.code})`, {
      where,
      fix: "make it readable, or add it to the source's `ignore`",
      cause: error,
    });
  }
}

/** The names of a folder that are not text, as they are shown: such a name has U+FFFD in it. */
function oddNames(folder: string, entries: readonly Dirent[]): ReadonlySet<string> {
  if (!entries.some(({ name }) => name.includes("\ufffd"))) return new Set();
  const names = readdirSync(folder, { encoding: "buffer" }).filter((bytes) => !isUtf8(bytes));
  return new Set(names.map((bytes) => bytes.toString()));
}

/**
 * Reads a file, or a folder with everything in it that the rules do not leave out. Links stay links, and are not followed.
 * @throws FactoryError FILE_CHANGED if something changes meanwhile; FILE_OUTSIDE, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function readTree(request: TreeRequest): Tree {
  const { root, path: top, where, mostEntries = MOST_ENTRIES } = request;
  const read = { entries: 0, files: 0, bytes: 0 };
  const tick = createMeter(() =>
    request.onProgress(`reading ${top}: ${grouped(read.files)} files, ${sizeText(read.bytes)}`),
  );
  const lines = createPieces();
  const ignored: { path: string; isFolder: boolean }[] = [];
  const cache = openHashCache(request.cache);
  let entries = 0;
  let hashed = 0;

  const add = (mode: string, hex: string, path: string): void => {
    lines.add(listingLine(mode, hex, path));
    entries += 1;
  };
  const count = (): void => {
    read.entries += 1;
    if (read.entries % 256 === 0) tick();
    if (read.entries <= mostEntries) return;
    throw new FactoryError(
      "FILE_TOO_LARGE",
      `${quoted(top)} has more than ${grouped(mostEntries)} files, folders and links`,
      {
        where,
        fix: "ignore what the image does not need, or declare a smaller folder",
      },
    );
  };

  const addFile = (whole: string, path: string): void => {
    const absolute = `${root}/${whole}`;
    const stats = reading(whole, where, () => lstatSync(absolute));
    if (stats.isSymbolicLink()) throw changed(whole, "became a link");
    if (!stats.isFile()) {
      throw new FactoryError("FILE_UNREADABLE", `${quoted(whole)} is a device, pipe or socket`, {
        where,
        fix: "remove it, or add it to the source's `ignore`",
      });
    }
    const hex = hashOf({ absolute, whole, path, stats, cache });
    read.files += 1;
    read.bytes += stats.size;
    add((stats.mode & 0o100) === 0 ? "0644" : "0755", hex, path);
  };

  const hashOf = (file: {
    absolute: string;
    whole: string;
    path: string;
    stats: Stats;
    cache: HashCache;
  }): string => {
    const { absolute, whole, path, stats } = file;
    let hex = cache.known(path, stats);
    if (hex === undefined) {
      const before = read.bytes;
      hex = reading(whole, where, () =>
        hashFile(absolute, stats, (bytes) => {
          read.bytes = before + bytes;
          tick();
        }),
      );
      read.bytes = before;
      hashed += 1;
      if (hex === undefined) throw changed(whole, "changed");
      cache.keep(path, stats, hex);
    }
    return hex;
  };

  const addLink = (whole: string, path: string): void => {
    const target = reading(whole, where, () => readlinkSync(`${root}/${whole}`, { encoding: "buffer" }));
    const end = isUtf8(target) ? reading(whole, where, () => linkEnd(root, whole)) : "outside";
    const refuse = (code: "FILE_OUTSIDE" | "FILE_UNREADABLE", what: string, fix: string) => {
      throw new FactoryError(code, `${quoted(whole)} ${what}`, { where, fix });
    };
    if (end === "outside")
      refuse(
        "FILE_OUTSIDE",
        `is a link to ${quoted(target.toString())}, which leads out of the workspace`,
        "make it a relative link within the workspace, or add it to the source's `ignore`",
      );
    if (end === "circle")
      refuse(
        "FILE_UNREADABLE",
        "is a link in a circle of links",
        "remove it, or add it to the source's `ignore`",
      );
    add("120000", sha256Hex(target), path);
  };

  /** @param path from the source, with `/` at its end if it is not empty */
  const walk = (folder: string, path: string, outer: TreeRules): void => {
    const absolute = `${root}/${folder}`;
    const found = reading(folder, where, () => readdirSync(absolute, { withFileTypes: true }));
    const odd = reading(folder, where, () => oddNames(absolute, found));
    const rules = outer.within(
      folder,
      found.map(({ name }) => name),
    );
    for (const entry of found.sort((a, b) => compareText(a.name, b.name))) {
      const { name } = entry;
      const whole = folder === "." ? name : `${folder}/${name}`;
      const isFolder = entry.isDirectory();
      count();
      if (rules.ignores(whole, isFolder)) {
        ignored.push({ path: whole, isFolder });
        continue;
      }
      if (odd.has(name)) {
        throw new FactoryError("FILE_UNREADABLE", `the name of ${quoted(whole)} is not UTF-8`, {
          where,
          fix: "rename it, or add it to the source's `ignore`",
        });
      }
      if (isFolder) {
        add("0755", NOTHING, `${path}${name}/`);
        walk(whole, `${path}${name}/`, rules);
      } else if (entry.isSymbolicLink()) addLink(whole, path + name);
      else addFile(whole, path + name);
    }
  };

  const isFolder = reading(top, where, () => lstatSync(`${root}/${top}`)).isDirectory();
  if (isFolder) {
    add("0755", NOTHING, "/");
    walk(top, "", request.rules);
  } else addFile(top, "");
  if (hashed > 0 && (read.files >= SMALL.files || read.bytes >= SMALL.bytes)) cache.save();
  const { pieces, hex } = lines.end();
  return { entries, bytes: read.bytes, sha256: `sha256:${hex}`, pieces, isFolder, ignored };
}
