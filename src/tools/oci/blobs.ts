import { createHash } from "node:crypto";
import { sizeText } from "../../model/bytes.ts";
import { isDigest } from "../../model/image-reference.ts";
import { FactoryError } from "../../errors.ts";
import { quoted } from "../../model/visible.ts";
import type { Access } from "./authorization.ts";
import type { HttpAnswer, Upload } from "./exchange.ts";
import { leadsTo } from "./follow-redirects.ts";
import { wrongAnswer } from "./registry-error.ts";
import type { Connection, Stoppable } from "./connection.ts";

/** A blob, as the descriptor in a manifest says it. */
export interface BlobName {
  /** `sha256:` and 64 hex digits. */
  digest: string;
  /** In bytes. */
  size: number;
}

export interface BlobClient {
  /**
   * The pieces of a blob. Nothing of them may be believed before the last one was given: only then the size and the digest
   * are known to be right.
   * @param options `most` bytes are taken: a larger blob is not asked for
   * @throws RegistryError REGISTRY_NOT_FOUND, REGISTRY_CONTENT
   */
  blob: (blob: BlobName, options: Stoppable & { most: number }) => AsyncGenerator<Uint8Array, void>;
  hasBlob: (digest: string, options?: Stoppable) => Promise<boolean>;
  /**
   * Stores a blob, unless it is there.
   * @param content its bytes, or what gives its pieces; that may be called more than once
   * @param options `mountFrom`: a repository of the same registry that has it; then it is not sent if the registry takes it
   * from there
   * @returns whether it was sent
   */
  putBlob: (
    blob: BlobName,
    content: Uint8Array | (() => AsyncIterable<Uint8Array>),
    options?: Stoppable & { mountFrom?: string },
  ) => Promise<boolean>;
}

const PIECE = 64 * 1024;

// eslint-disable-next-line @typescript-eslint/require-await
async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function checked(digest: string): string {
  if (isDigest(digest)) return digest;
  throw new FactoryError("REFERENCE_INVALID", `${quoted(digest)} is not a digest`, {
    fix: "write `sha256:` and 64 hex digits",
  });
}

export function blobClient(connection: Connection): BlobClient {
  const { host, repository, at, ask, refused } = connection;
  const nameOf = (digest: string) => `the blob ${digest}`;
  const wrong = (digest: string, why: string) =>
    wrongAnswer(`${nameOf(digest)} of ${host}/${repository} ${why}`);

  const isThere = async (
    digest: string,
    { signal, actions }: Stoppable & { actions: Access["actions"] },
  ): Promise<boolean> => {
    const answer = await ask({ method: "HEAD", url: at(`blobs/${checked(digest)}`), signal }, actions);
    if (answer.status !== 200 && answer.status !== 404) throw await refused(answer, nameOf(digest), actions);
    await answer.drop();
    return answer.status === 200;
  };

  async function* blob(
    { digest, size }: BlobName,
    { most, signal }: Stoppable & { most: number },
  ): AsyncGenerator<Uint8Array, void> {
    if (!Number.isSafeInteger(size) || size < 0) throw wrong(digest, `cannot have ${size} bytes`);
    if (size > most) throw wrong(digest, `has ${sizeText(size)}; at most ${sizeText(most)} are taken`);
    const answer = await ask({ method: "GET", url: at(`blobs/${checked(digest)}`), signal });
    if (answer.status !== 200) throw await refused(answer, nameOf(digest));
    const hash = createHash("sha256");
    let left = size;
    for await (const piece of answer.pieces()) {
      left -= piece.length;
      if (left < 0) throw wrong(digest, `has more than the ${size} bytes that were expected`);
      hash.update(piece);
      yield piece;
    }
    if (left > 0) throw wrong(digest, `has ${left} bytes less than the ${size} that were expected`);
    if (`sha256:${hash.digest("hex")}` !== digest) throw wrong(digest, "is not what its digest says");
  }

  /** Where to send a blob. Another host gets no log-in of this one. */
  const uploadAt = async (digest: string, answer: HttpAnswer): Promise<URL> => {
    if (answer.status !== 202) throw await refused(answer, nameOf(digest), "pull,push");
    await answer.drop();
    const url = leadsTo(answer);
    // What is there stays as it is, byte for byte: it may be signed.
    url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`;
    return url;
  };

  /** @returns where to send a blob; null if the registry has taken it from another of its repositories */
  const openUpload = async (
    digest: string,
    { signal, mountFrom }: Stoppable & { mountFrom?: string },
  ): Promise<URL | null> => {
    const open = (query = "") => {
      const url = at(`blobs/uploads/${query}`);
      return ask({ method: "POST", url, headers: { "content-length": "0" }, signal }, "pull,push");
    };
    if (mountFrom !== undefined) {
      const query = new URLSearchParams({ mount: digest, from: mountFrom });
      const answer = await open(`?${query.toString()}`);
      if (answer.status === 202) return uploadAt(digest, answer);
      await answer.drop();
      if (answer.status === 201) return null;
      // Who may not read there, or a registry that knows no such thing, can still be sent the blob.
    }
    return uploadAt(digest, await open());
  };

  return {
    blob,
    hasBlob: (digest, options) => isThere(digest, { ...options, actions: "pull" }),
    putBlob: async ({ digest, size }, content, { signal, mountFrom } = {}) => {
      // With the rights of who writes: some registries let nobody read what is not there yet.
      if (await isThere(digest, { signal, actions: "pull,push" })) return false;
      const url = await openUpload(digest, { signal, mountFrom });
      if (url === null) return false;
      const pieces = content instanceof Uint8Array ? () => piecesOf(content) : content;
      const body: Upload = { size, pieces };
      const headers = { "content-type": "application/octet-stream" };
      const answer = await ask({ method: "PUT", url, headers, body, signal }, "pull,push");
      if (answer.status !== 201) throw await refused(answer, nameOf(digest), "pull,push");
      await answer.drop();
      return true;
    },
  };
}
