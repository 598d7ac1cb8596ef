import { closeSync, constants, createReadStream, fstatSync, openSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { isRefusal } from "./refused.ts";

const PIECE = 1 << 20;

const OPEN = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;

/**
 * The bytes of an input as they come: of stdin for `-`, of an open descriptor for `/dev/fd/N` (`<(…)`), else of a regular
 * file or a link to one. Nothing else is opened: a pipe that nobody writes to would never end.
 * @param cwd absolute; where a relative path starts from
 * @param fix what to name instead
 * @throws FactoryError FILE_UNREADABLE, also while it is read
 */
export async function* inputStream(
  file: string,
  cwd: string,
  { fix, signal }: { fix: string; signal?: AbortSignal },
): AsyncGenerator<Buffer, void> {
  const refuse = (what: string, cause?: unknown) =>
    new FactoryError("FILE_UNREADABLE", `cannot read ${file}: ${what}`, { fix, cause });
  const open = file === "-" || file === "/dev/stdin" ? 0 : OPEN.exec(file)?.[1];
  try {
    let fd = Number(open);
    if (open === undefined) {
      const path = realpathSync.native(resolve(cwd, file));
      fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
      if (!fstatSync(fd).isFile()) {
        closeSync(fd);
        throw refuse("it is not a regular file");
      }
    }
    const autoClose = open === undefined;
    for await (const piece of createReadStream("", { fd, autoClose, highWaterMark: PIECE, signal }))
      yield piece as Buffer;
  } catch (error) {
    if (signal?.aborted) throw new FactoryError("INTERRUPTED", "interrupted while reading", { cause: error });
    if (!isRefusal(error)) throw error;
    throw refuse(error.message, error);
  }
}
