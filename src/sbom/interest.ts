import type { Interest } from "./cataloger.ts";
import { CATALOGERS } from "./catalogers/catalogers.ts";
import { releaseInterest } from "./os-release.ts";
import { baseOf, type ImagePath } from "./paths.ts";

const all = Object.values(CATALOGERS);

/** What to keep of the file at a path; null if the inventory does not need it. */
export function interestIn(path: ImagePath): Interest | null {
  const base = baseOf(path);
  for (const { wants } of all) {
    const interest = wants(path, base);
    if (interest) return interest;
  }
  return releaseInterest(path);
}

/** No matter how large: a program goes by as a stream, and next to nothing of it is kept. */
const PROGRAM: Interest = { limit: Number.MAX_SAFE_INTEGER, beyond: "cut", part: "program" };
/** No compiler that says what it built makes a smaller one. */
const SMALLEST_PROGRAM = 4096;
const LIBRARY = /\.so(?:\.|$)/;

/**
 * What to keep of a file by what its tar entry says of it: by its path, else as a program if it may be one.
 * @param mode its permissions, as in a tar
 */
export function interestOf(path: ImagePath, mode: number, size: number): Interest | null {
  const named = interestIn(path);
  if (named) return named;
  return size >= SMALLEST_PROGRAM && ((mode & 0o111) !== 0 || LIBRARY.test(baseOf(path))) ? PROGRAM : null;
}

/** A name for what is kept of layers: it changes with the set of catalogers and with the shape of each. */
export const INTERESTS = Object.entries(CATALOGERS)
  .map(([name, { shape }]) => `${name}@${shape}`)
  .join(",");

/** What is kept of a file that a hard link or a symlink of an interesting name leads to. */
export const LINKED: Interest = { limit: 64 << 20, beyond: "fail" };

/** Where programs are: which of them say something of themselves, no path tells. */
const PROGRAMS = /(?:^|\/)(?:s?bin|libexec)\/[^/]+$/;

/** Whether a file is of interest by its path, or may be a program. */
export function matters(path: ImagePath): boolean {
  return PROGRAMS.test(path) || interestIn(path) !== null;
}

/** Of a list of absolute paths, the lines that name a file which is itself of interest, or may be a program. */
function pathsOf(bytes: Buffer): Buffer {
  const kept = bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith("/") && matters(line.slice(1)));
  return Buffer.from(kept.join("\n"));
}

/** The bytes before the first empty line. */
function headOf(bytes: Buffer): Buffer {
  const ends = [bytes.indexOf("\n\n"), bytes.indexOf("\n\r\n")].filter((at) => at >= 0);
  // A copy, since a view would keep the whole file in memory.
  return ends.length === 0 ? bytes : Buffer.from(bytes.subarray(0, Math.min(...ends) + 1));
}

/** The part of a file that is kept. */
export function partOf(bytes: Buffer, part: Interest["part"]): Buffer {
  if (part === "head") return headOf(bytes);
  return part === "paths" ? pathsOf(bytes) : bytes;
}
