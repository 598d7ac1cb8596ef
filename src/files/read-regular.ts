import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from "node:fs";

/** A regular file's bytes, with its stamp from before they were read. */
export interface RegularFile {
  bytes: Buffer;
  stamp: string;
  /** When the file last changed, in milliseconds since 1970. */
  changedMs: number;
}

/**
 * What changes with every change of a file: its size, the time of its last change (which programs cannot set, as they can that
 * of its contents) and its inode. A change within the clock tick of the one before need not show.
 */
function stampOf({ size, ctimeMs, ino }: Stats): string {
  return `${size} ${ctimeMs} ${ino}`;
}

/** The stamp of whatever lies at a path, undefined where nothing does. @throws an error of the file system */
export function stampAt(file: string): string | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats && stampOf(stats);
}

/**
 * Reads a regular file; a link is not followed, and a pipe does not block.
 * @returns undefined where it is something else
 * @throws an error of the file system, also where there is no file (ENOENT) and for a link (ELOOP)
 */
export function readRegular(file: string): RegularFile | undefined {
  const descriptor = openSync(
    file,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    return { bytes: readFileSync(descriptor), stamp: stampOf(stats), changedMs: stats.ctimeMs };
  } finally {
    closeSync(descriptor);
  }
}
