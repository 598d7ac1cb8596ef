import { type BigIntStats, lstatSync, readdirSync, rmSync, statSync } from "node:fs";
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
 * A file has not changed if its size, mtime, ctime, inode and device are the same, and if both times are older than the
 * moment at which hashing began. Otherwise it may have been changed again within the same tick of the file system's clock,
 * after it was hashed: git's index treats such entries as racily clean in the same way. Programs cannot set a ctime, so
 * whoever can make a wrong entry count can also change Factory itself.
 */
export interface HashCache {
  /** The hex digits of a file's sha256, if they are known. Files are asked for in the order of a walk. */
  known: (path: string, stats: BigIntStats) => string | undefined;
  /** Takes a file's hash into the next cache, in the order of a walk. */
  keep: (path: string, stats: BigIntStats, hex: string) => void;
  /** Replaces the cache with what was kept. Another process may do the same at the same time: the last one counts. */
  save: () => void;
}

/** What of a file changes when its contents do. */
export function stampOf({ size, mtimeNs, ctimeNs, ino, dev }: BigIntStats): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${dev}`;
}

const FORM = "factory/hashes/1";

/** More than any clock of a file system is coarse. */
const MARGIN_NS = 2_000_000_000n;

/** Caches that were not written for this long belong to sources that are gone. */
const OLD_MS = 30 * 24 * 3600 * 1000;

const MOST_BYTES = 512 << 20;
const LINE_END = 0x0a;

/** Orders paths as a walk meets them: a folder's contents come before whatever sorts after its name. */
const inWalk = (path: string): string => path.replaceAll("/", "\0");

interface Line {
  order: string;
  hex: string;
  stamp: string;
}

function parseLine(text: string): Line | undefined {
  const [path = "", hex = "", stamp] = text.split("\t");
  if (stamp === undefined || !/^[a-f0-9]{64}$/.test(hex)) return undefined;
  return {
    order: inWalk(path.includes("\\") ? (JSON.parse(path) as string) : path.slice(1, -1)),
    hex,
    stamp,
  };
}

/** The lines of a cache, and the moment before which times have to be. None if it is missing or damaged. */
function load(file: string): { bytes: Buffer; before: bigint } {
  const none = { bytes: Buffer.alloc(0), before: 0n };
  const bytes = tryTo(() => readRegular(file, MOST_BYTES)?.bytes);
  if (!bytes) return none;
  const start = bytes.lastIndexOf(LINE_END, -2) + 1;
  const [form, before = "", hex] = bytes.toString("latin1", start, bytes.length - 1).split(" ");
  if (form !== FORM || !/^\d{1,30}$/.test(before)) return none;
  const lines = bytes.subarray(0, start);
  return hex === sha256Hex(`${before} ${sha256Hex(lines)}`) ? { bytes: lines, before: BigInt(before) } : none;
}

/** The time by the clock of the file system that a folder is on, in nanoseconds. */
function timeOf(folder: string): bigint {
  const probe = join(folder, `.clock-${process.pid}`);
  writePieces(probe, []);
  const { mtimeNs } = lstatSync(probe, { bigint: true });
  rmSync(probe, { force: true });
  return mtimeNs;
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
  let at = 0;
  let line: Line | undefined;
  const next = (): void => {
    const end = bytes.indexOf(LINE_END, at);
    line = end < 0 ? undefined : parseLine(bytes.toString("utf8", at, end));
    at = end < 0 ? bytes.length : end + 1;
  };
  next();
  return {
    known: (path, stats) => {
      const order = inWalk(path);
      while (line && line.order < order) next();
      if (line?.order !== order || stats.mtimeNs >= before || stats.ctimeNs >= before) return undefined;
      return line.stamp === stampOf(stats) ? line.hex : undefined;
    },
    keep: (path, stats, hex) => kept.add(`${JSON.stringify(path)}\t${hex}\t${stampOf(stats)}\n`),
    save: () => {
      tryTo(() => {
        const folder = dirname(file);
        makeWay(folder);
        const passed = BigInt(Math.ceil((performance.now() - began) * 1e6));
        const time = timeOf(folder) - passed - MARGIN_NS;
        const { pieces, hex } = kept.end();
        const last = `${FORM} ${time} ${sha256Hex(`${time} ${hex}`)}\n`;
        writePieces(file, [...pieces, last]);
        removeOld(folder, Number(time / 1_000_000n));
      });
    },
  };
}
