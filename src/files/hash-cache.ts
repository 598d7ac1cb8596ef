import { lstatSync, readdirSync, rmSync, type Stats, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { sha256Hex } from "../model/digest.ts";
import { createPieces } from "./listing.ts";
import { makeWay } from "./make-way.ts";
import { readRegular } from "./read-regular.ts";
import { tryTo } from "./shortcuts.ts";
import { writePieces } from "./write-pieces.ts";

/**
 * Hashes of the files of a tree as they were when they were last read, so that files that have not changed since are not read
 * again. It only saves work: it may be removed at any moment, and one that is damaged counts for nothing.
 *
 * A file has not changed if its size, mtime, ctime and inode are the same, and if both times are older than the
 * moment at which hashing began. Otherwise it may have been changed again within the same tick of the file system's clock,
 * after it was hashed: git's index treats such entries as racily clean in the same way. Programs cannot set a ctime, so
 * whoever can make a wrong entry count can also change Factory itself.
 */
export interface HashCache {
  /** The hex digits of a file's sha256, if they are known. Files are asked for in the order of a walk. */
  known: (path: string, stats: Stats) => string | undefined;
  /** Takes the hash of a file that was not known into the next cache, in the order of a walk. */
  keep: (path: string, stats: Stats, hex: string) => void;
  /**
   * Replaces the cache with what was known and what was kept. Another process may do the same at the same time: the last one
   * counts.
   */
  save: () => void;
}

/** What of a file changes when its contents do. Times are exact to a quarter of a microsecond. */
export function stampOf({ size, mtimeMs, ctimeMs, ino }: Stats): string {
  return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

const FORM = "factory/hashes/1";

/** More than any clock of a file system is coarse. */
const MARGIN_MS = 2000;

/** Caches that were not written for this long belong to sources that are gone. */
const OLD_MS = 30 * 24 * 3600 * 1000;

const MOST_BYTES = 512 << 20;
const LINE_END = 0x0a;

/** Orders paths as a walk meets them: a folder's contents come before whatever sorts after its name. */
const inWalk = (path: string): string => path.replaceAll("/", "\0");

interface Line {
  path: string;
  hex: string;
  stamp: string;
}

function parseLine(text: string): Line | undefined {
  const [path = "", hex = "", stamp] = text.split("\t");
  if (stamp === undefined) return undefined;
  return { path: path.includes("\\") ? (JSON.parse(path) as string) : path.slice(1, -1), hex, stamp };
}

/** The lines of a cache, and the moment before which times have to be. None if it is missing or damaged. */
function load(file: string): { bytes: Buffer; before: number } {
  const none = { bytes: Buffer.alloc(0), before: 0 };
  const bytes = tryTo(() => readRegular(file, MOST_BYTES)?.bytes);
  if (!bytes) return none;
  const start = bytes.lastIndexOf(LINE_END, -2) + 1;
  const [form, before = "", hex] = bytes.toString("latin1", start, bytes.length - 1).split(" ");
  if (form !== FORM || !/^\d{1,15}$/.test(before)) return none;
  const lines = bytes.subarray(0, start);
  return hex === sha256Hex(`${before} ${sha256Hex(lines)}`) ? { bytes: lines, before: Number(before) } : none;
}

/** The time by the clock of the file system that a folder is on, in milliseconds since 1970. */
function timeOf(folder: string): number {
  const probe = join(folder, `.clock-${process.pid}`);
  writePieces(probe, []);
  const { mtimeMs } = lstatSync(probe);
  rmSync(probe, { force: true });
  return mtimeMs;
}

function removeOld(folder: string, now: number): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    tryTo(() => now - statSync(file).mtimeMs > OLD_MS && rmSync(file, { force: true }));
  }
}

/** @param file absolute path of the cache */
export function openHashCache(file: string): HashCache {
  const began = performance.now();
  const { bytes, before } = load(file);
  const kept = createPieces();
  /** Where the next line starts, where the one at hand does, and up to where lines were taken over. */
  let at = 0;
  let start = 0;
  let taken = 0;
  let line: Line | undefined;
  const next = (): void => {
    start = at;
    const end = bytes.indexOf(LINE_END, at);
    line = end < 0 ? undefined : parseLine(bytes.toString("utf8", at, end));
    at = end < 0 ? bytes.length : end + 1;
  };
  /** Takes lines over up to a place. Those of files that are gone do no harm, and are dropped one by one. */
  const takeOver = (to: number): void => {
    if (to > taken) kept.addBytes(bytes.subarray(taken, to));
    taken = to;
  };
  next();
  return {
    known: (path, stats) => {
      if (line && line.path !== path) {
        const order = inWalk(path);
        while (line && inWalk(line.path) < order) {
          takeOver(start);
          taken = at;
          next();
        }
      }
      if (line?.path !== path) return undefined;
      const { hex, stamp } = line;
      const isSame = stats.mtimeMs < before && stats.ctimeMs < before && stamp === stampOf(stats);
      if (!isSame) {
        takeOver(start);
        taken = at;
      }
      next();
      return isSame ? hex : undefined;
    },
    keep: (path, stats, hex) => {
      takeOver(start);
      kept.add(`${JSON.stringify(path)}\t${hex}\t${stampOf(stats)}\n`);
    },
    save: () => {
      tryTo(() => {
        const folder = dirname(file);
        makeWay(folder);
        const passed = performance.now() - began;
        const time = Math.floor(timeOf(folder) - passed) - MARGIN_MS;
        takeOver(start);
        const { pieces, hex } = kept.end();
        const last = `${FORM} ${time} ${sha256Hex(`${time} ${hex}`)}\n`;
        writePieces(file, [...pieces, last]);
        removeOld(folder, time);
      });
    },
  };
}
