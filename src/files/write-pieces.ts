import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeWay } from "./make-way.ts";
import { writing } from "./refused.ts";

/** Writes all pieces to an open regular file. */
function writeAll(descriptor: number, pieces: Iterable<string | Uint8Array>): void {
  for (const piece of pieces) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    for (let at = 0; at < bytes.length; at += writeSync(descriptor, bytes, at));
  }
}

/**
 * Writes a file from pieces of text or bytes, whole or not at all: to a temporary file beside it, which is then renamed. It is not
 * synced to the disk: use it for what can be made again at any time.
 * @throws FactoryError WRITE_FAILED
 */
export function writePieces(file: string, pieces: Iterable<string | Uint8Array>): void {
  // A short name of its own: a name of the greatest length has no room for a suffix.
  const temporary = join(dirname(file), `.factory-${randomBytes(8).toString("hex")}`);
  let made = false;
  writing(file, () => {
    try {
      makeWay(dirname(file));
      const descriptor = openSync(temporary, "wx", 0o644);
      made = true;
      try {
        writeAll(descriptor, pieces);
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, file);
    } catch (error) {
      if (made) rmSync(temporary, { force: true });
      throw error;
    }
  });
}
