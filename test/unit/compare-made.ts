import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import type { StoredImage } from "../../src/compare/stored-image.ts";
import { openStored } from "../../src/compare/stored-image.ts";
import { sha256 } from "../../src/model/digest.ts";

/** A file of a layer. */
export type Made = Partial<Header> & { name: string; text?: string };

/** The tar of a layer. */
export async function tarOf(files: readonly Made[]): Promise<Buffer> {
  const tar = pack();
  for (const { text = "", ...header } of files) tar.entry({ mtime: new Date(0), ...header }, text);
  tar.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of tar as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** An image in memory. @param about more of its configuration; `diffIds` in place of the right ones */
export function imageOf(
  tars: readonly Buffer[],
  about: { config?: object; history?: object[]; diffIds?: string[]; packed?: (tar: Buffer) => Buffer } = {},
): StoredImage {
  const { config = {}, history = [], diffIds = tars.map((tar) => sha256(tar)), packed = gzipSync } = about;
  const blobs = new Map<string, Buffer>();
  const put = (bytes: Buffer) => {
    blobs.set(sha256(bytes), bytes);
    return { mediaType: "", digest: sha256(bytes), size: bytes.length };
  };
  const layers = tars.map((tar) => put(packed(tar)));
  const own = { os: "linux", architecture: "amd64", ...config, history, rootfs: { diff_ids: diffIds } };
  const read = (digest: string) => blobs.get(digest) ?? Buffer.alloc(0);
  async function* pieces(digest: string) {
    const bytes = read(digest);
    for (let at = 0; at < bytes.length; at += 1000)
      yield await Promise.resolve(bytes.subarray(at, at + 1000));
  }
  const manifest = {
    digest: sha256(JSON.stringify(layers)),
    config: put(Buffer.from(JSON.stringify(own))),
    layers,
  };
  return openStored("the image", manifest, { read, pieces });
}
