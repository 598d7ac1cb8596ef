import { readSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { readRegular } from "./read-regular.ts";
import { isRefusal } from "./refused.ts";

/** The most that is read of a list: as much as a million paths of 64 bytes. */
const MOST_BYTES = 64 << 20;

/** What an input is, for messages, and how much of it is read. */
interface Wanted {
  most: number;
  /** What to name instead. */
  fix: string;
}
const PIECE = 1 << 16;

/** A non-blocking pipe reports this when it is empty for the moment. */
const PAUSE_MS = 10;

const OPEN = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

function tooLarge(file: string, { most, fix }: Wanted): FactoryError {
  return new FactoryError("FILE_TOO_LARGE", `${file} has more than ${most} bytes`, { fix });
}

/** Reads an open file descriptor to its end. @throws FactoryError FILE_TOO_LARGE; an error of the file system */
function readOpen(file: string, descriptor: number, wanted: Wanted): Buffer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE);
    let read: number;
    try {
      read = readSync(descriptor, piece);
    } catch (error) {
      if (!isRefusal(error) || error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      continue;
    }
    if (read === 0) return Buffer.concat(pieces);
    bytes += read;
    if (bytes > wanted.most) throw tooLarge(file, wanted);
    pieces.push(piece.subarray(0, read));
  }
}

/**
 * The text of an input: of stdin for `-`, of an open descriptor for `/dev/fd/N` (`<(…)`), else of a regular file or a link
 * to one. Nothing else is opened: a pipe that nobody writes to would never end.
 * @param cwd absolute; where a relative path starts from
 * @throws FactoryError FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function readInput(file: string, cwd: string, wanted: Wanted): string {
  const refuse = (what: string, cause?: unknown) =>
    new FactoryError("FILE_UNREADABLE", `cannot read ${file}: ${what}`, { fix: wanted.fix, cause });
  let bytes: Buffer | undefined;
  try {
    const open = file === "-" || file === "/dev/stdin" ? 0 : OPEN.exec(file)?.[1];
    bytes =
      open === undefined
        ? readRegular(realpathSync.native(resolve(cwd, file)), wanted.most)?.bytes
        : readOpen(file, Number(open), wanted);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw refuse(error.message, error);
  }
  if (!bytes) throw refuse("it is not a regular file, or it is too large");
  return bytes.toString("utf8");
}

/** The lines of an input, without empty ones. @throws FactoryError as `readInput` */
export function readLines(file: string, cwd: string): string[] {
  const fix = "name a file with one path per line, or - for stdin";
  return readInput(file, cwd, { most: MOST_BYTES, fix })
    .split(/\r?\n/)
    .filter((line) => line !== "");
}
