import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./folders.ts";
import { writeStream } from "./write-stream.ts";

/** Blobs by their digests, `sha256:` and 64 hex digits, as the folder `blobs` of an OCI layout has them. */
export interface BlobFolder {
  has: (digest: string) => boolean;
  /** @returns bytes; null if it is not there */
  sizeOf: (digest: string) => number | null;
  /**
   * Takes a blob, unless its bytes do not have the digest.
   * @returns whether they have it @throws FactoryError WRITE_FAILED; what the pieces throw
   */
  keep: (digest: string, pieces: AsyncIterable<Uint8Array>) => Promise<boolean>;
  /** The bytes of a small one that is there. */
  read: (digest: string) => Buffer;
  /** The bytes of one that is there, a piece at a time. */
  pieces: (digest: string) => AsyncGenerator<Uint8Array, void>;
}

const PIECE = 1 << 20;

/** Thrown to leave no file of bytes that are not what they should be. */
class NotTheDigest extends Error {}

/** @param folder absolute, and nobody else's; it is made */
export function openBlobFolder(folder: string): BlobFolder {
  const below = join(folder, "blobs", "sha256");
  makeFolder(below);
  const fileOf = (digest: string): string => {
    const [, hex] = /^sha256:([a-f0-9]{64})$/.exec(digest) ?? [];
    if (hex === undefined) throw new Error(`no digest: ${digest}`);
    return join(below, hex);
  };
  return {
    has: (digest) => existsSync(fileOf(digest)),
    sizeOf: (digest) => statSync(fileOf(digest), { throwIfNoEntry: false })?.size ?? null,
    keep: async (digest, pieces) => {
      async function* hashed(): AsyncGenerator<Uint8Array, void> {
        const hash = createHash("sha256");
        for await (const piece of pieces) {
          hash.update(piece);
          yield piece;
        }
        if (`sha256:${hash.digest("hex")}` !== digest) throw new NotTheDigest();
      }
      try {
        await writeStream(fileOf(digest), hashed(), false);
        return true;
      } catch (error) {
        if (error instanceof NotTheDigest) return false;
        throw error;
      }
    },
    read: (digest) => readFileSync(fileOf(digest)),
    pieces: async function* (digest) {
      const file = await open(fileOf(digest));
      try {
        for (;;) {
          const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, null);
          if (bytesRead === 0) return;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}
