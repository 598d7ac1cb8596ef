import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  type Stats,
} from "node:fs";

/** A regular file's bytes, with the stamp that it had before they were read. */
export interface RegularFile {
  bytes: Buffer;
  stamp: string;
  /** When the file last changed, in milliseconds since 1970. */
  changedMs: number;
}

/** More than any file that is read as a whole: 512 MiB. */
const MOST_BYTES = 512 << 20;

const PIECE = 1 << 20;

/**
 * Text that changes whenever a file changes: its size, its ctime (which programs cannot set, unlike its mtime) and its
 * inode. A second change within one clock tick may not show.
 */
function stampOf({ size, ctimeMs, ino }: Stats): string {
  return `${size} ${ctimeMs} ${ino}`;
}

/** The stamp of what lies at a path; undefined if there is nothing. @throws an error of the file system */
export function stampAt(file: string): string | undefined {
  return changeAt(file)?.stamp;
}

/**
 * The stamp of what lies at a path, and when that last changed, in milliseconds since 1970; undefined if there is nothing.
 * A folder changes when an item is added, removed or renamed in it.
 * @throws an error of the file system
 */
export function changeAt(file: string): Pick<RegularFile, "stamp" | "changedMs"> | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats && { stamp: stampOf(stats), changedMs: stats.ctimeMs };
}

/**
 * Opens a regular file for reading, and closes it when `use` is done. A link is not followed, and a pipe does not block.
 * @returns what `use` gives; undefined if it is not a regular file
 * @throws an error of the file system, also if there is no file (ENOENT) and for a link (ELOOP)
 */
function withRegular<T>(file: string, use: (descriptor: number, stats: Stats) => T): T | undefined {
  const descriptor = openSync(
    file,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() ? use(descriptor, stats) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a regular file; a link is not followed, and a pipe does not block.
 * @param most bytes; a larger file gives undefined too
 * @returns undefined if it is not a regular file
 * @throws an error of the file system, also if there is no file (ENOENT) and for a link (ELOOP)
 */
export function readRegular(file: string, most = MOST_BYTES): RegularFile | undefined {
  return withRegular(file, (descriptor, stats) =>
    stats.size > most
      ? undefined
      : { bytes: readFileSync(descriptor), stamp: stampOf(stats), changedMs: stats.ctimeMs },
  );
}

/**
 * Reads a part of a regular file; links and pipes as in `readRegular`.
 * @param stamp that the file has to have, if it is to be the same as before
 * @returns undefined if it is not a regular file, another one than before, or too short
 * @throws an error of the file system
 */
export function readRegularPart(
  file: string,
  { from, length, stamp }: { from: number; length: number; stamp?: string },
): Buffer | undefined {
  return withRegular(file, (descriptor, stats) => {
    if (stamp !== undefined && stampOf(stats) !== stamp) return undefined;
    const bytes = Buffer.allocUnsafeSlow(length);
    let read = 0;
    while (read < length) {
      const more = readSync(descriptor, bytes, read, length - read, from + read);
      if (more === 0) return undefined;
      read += more;
    }
    return bytes;
  });
}

/**
 * Reads a regular file a piece at a time, whatever its size; links and pipes as in `readRegular`.
 * @param take may use a piece only during the call: its memory is reused
 * @returns how many bytes there were; undefined if it is not a regular file
 * @throws an error of the file system
 */
export function readRegularPieces(file: string, take: (piece: Uint8Array) => void): number | undefined {
  return withRegular(file, (descriptor, { size }) => {
    const piece = Buffer.allocUnsafe(Math.min(size + 1, PIECE));
    let bytes = 0;
    for (let read = readSync(descriptor, piece); read > 0; read = readSync(descriptor, piece)) {
      take(piece.subarray(0, read));
      bytes += read;
    }
    return bytes;
  });
}

/** Whether a regular file holds exactly this text; false if it cannot be read. */
export function holdsText(file: string, text: string): boolean {
  const wanted = Buffer.from(text);
  try {
    return readRegular(file, wanted.length)?.bytes.equals(wanted) ?? false;
  } catch {
    return false;
  }
}
