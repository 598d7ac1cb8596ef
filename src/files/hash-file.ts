import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { createHash, hash as hashOnce } from "node:crypto";
import { stampOf } from "./hash-cache.ts";

const PIECE = 1 << 20;

/** One piece of memory for all files: it is only used during a call. */
let shared: Buffer | undefined;

/**
 * The hex digits of a regular file's sha256. No link is followed, no pipe blocks, and no file is kept in memory.
 * @param listed what was known of the file before
 * @param onPiece called while a large file is read, with the bytes so far
 * @returns undefined if the file is no longer what it was, before or after it was read
 * @throws an error of the file system
 */
export function hashFile(
  file: string,
  listed: Stats,
  onPiece: (bytes: number) => void = () => undefined,
): string | undefined {
  const piece = (shared ??= Buffer.allocUnsafe(PIECE));
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(file, flags);
  try {
    const stamp = stampOf(listed);
    if (stampOf(fstatSync(descriptor)) !== stamp) return undefined;
    let read = readSync(descriptor, piece, 0, PIECE, null);
    let bytes = read;
    let hex: string;
    if (read < PIECE) hex = hashOnce("sha256", piece.subarray(0, read));
    else {
      const hash = createHash("sha256");
      // A file that grows has changed; it is not read to its end, which may never come.
      while (read > 0 && bytes <= listed.size) {
        hash.update(piece.subarray(0, read));
        onPiece(bytes);
        bytes += read = readSync(descriptor, piece, 0, PIECE, null);
      }
      hex = hash.digest("hex");
    }
    const isSame = stampOf(fstatSync(descriptor)) === stamp;
    return isSame && bytes === listed.size ? hex : undefined;
  } finally {
    closeSync(descriptor);
  }
}
