import { randomBytes } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeWay } from "./make-way.ts";
import { writeFailed } from "./refused.ts";

/** An error of where the bytes come from: it is not one of writing them. */
class SourceError extends Error {}

/** The pieces; an error of theirs is told apart from one of writing. */
async function* toldApart(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* pieces;
  } catch (cause) {
    throw new SourceError("", { cause });
  }
}

/**
 * Writes a file from bytes as they come, whole or not at all: to a temporary file beside it, which is synced and renamed. No
 * more than a piece is in memory.
 * @param durable false leaves out the sync, for what can be made again at any time
 * @throws FactoryError WRITE_FAILED; what the pieces throw
 */
export async function writeStream(
  file: string,
  pieces: AsyncIterable<Uint8Array>,
  durable = true,
): Promise<void> {
  // A short name of its own: a name of the greatest length has no room for a suffix.
  const temporary = join(dirname(file), `.factory-${randomBytes(8).toString("hex")}`);
  let made = false;
  try {
    makeWay(dirname(file));
    const handle = await open(temporary, "wx", 0o644);
    made = true;
    try {
      for await (const piece of toldApart(pieces)) {
        for (let at = 0; at < piece.length;)
          at += (await handle.write(piece, at, piece.length - at)).bytesWritten;
      }
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    renameSync(temporary, file);
  } catch (error) {
    if (made) rmSync(temporary, { force: true });
    throw error instanceof SourceError ? error.cause : writeFailed(file, error);
  }
}
