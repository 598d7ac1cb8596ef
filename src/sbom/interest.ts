import type { Interest } from "./cataloger.ts";
import { CATALOGERS } from "./catalogers/catalogers.ts";
import { releaseInterest } from "./os-release.ts";
import { baseOf, type ImagePath } from "./paths.ts";

const all = Object.values(CATALOGERS);

/** What is kept of the file at a path; null where the inventory has no use for it. */
export function interestIn(path: ImagePath): Interest | null {
  const base = baseOf(path);
  for (const { wants } of all) {
    const interest = wants(path, base);
    if (interest) return interest;
  }
  return releaseInterest(path);
}

/** Names what is kept of layers: another set of catalogers, or another shape of one, is another name. */
export const INTERESTS = Object.entries(CATALOGERS)
  .map(([name, { shape }]) => `${name}@${shape}`)
  .join(",");

/** What is kept of a file that a hard link or a symlink of an interesting name leads to. */
export const LINKED: Interest = { limit: 64 << 20, beyond: "fail" };

/** The lines of a list of absolute paths that name a file which is itself of interest. */
function pathsOf(bytes: Buffer): Buffer {
  const kept = bytes
    .toString("utf8")
    .split("\n")
    .filter((line) => line.startsWith("/") && interestIn(line.slice(1)) !== null);
  return Buffer.from(kept.join("\n"));
}

/** The bytes before the first empty line. */
function headOf(bytes: Buffer): Buffer {
  const ends = [bytes.indexOf("\n\n"), bytes.indexOf("\n\r\n")].filter((at) => at >= 0);
  // A copy: a view would keep all of the file in memory.
  return ends.length === 0 ? bytes : Buffer.from(bytes.subarray(0, Math.min(...ends) + 1));
}

/** The part of a file that is kept. */
export function partOf(bytes: Buffer, part: Interest["part"]): Buffer {
  if (part === "head") return headOf(bytes);
  return part === "paths" ? pathsOf(bytes) : bytes;
}
