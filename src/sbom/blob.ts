import { extract as createExtract } from "tar-stream";
import { collectLayer, type Layer, type LayerOptions } from "./layer.ts";
import { decompressZstd } from "./zstd.ts";

const SNIFFED_BYTES = 512;

/** Large pieces: each one is a turn of the event loop. */
const GUNZIP_BYTES = 1 << 20;

export type Bytes = AsyncIterable<Uint8Array>;
/** What a blob is, by its first bytes. */
export type Content = "document" | "tar" | "gzip" | "zstd" | "empty" | "unknown";

export function contentOf(head: Uint8Array): Content {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.subarray(257, 262).toString("latin1") === "ustar") return "tar";
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
  if (
    bytes.length >= 4 &&
    (bytes.readUInt32LE(0) === 0xfd2fb528 || (bytes.readUInt32LE(0) & ~15) === 0x184d2a50)
  ) {
    return "zstd";
  }
  if (/^\s*[{[]/.test(bytes.toString("latin1"))) return "document";
  return bytes.length > 0 && bytes.every((byte) => byte === 0) ? "empty" : "unknown";
}

/** The first bytes of a stream, and the whole stream again. */
export async function sniff(stream: Bytes): Promise<{ head: Buffer; whole: Bytes }> {
  const source = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < SNIFFED_BYTES) {
    const next = await source.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* whole() {
    yield head;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  }
  return { head, whole: whole() };
}

/** How many bytes layers may have when they are unpacked: so many, and so many times what they have packed. */
const MOST_UNPACKED = 1 << 30;
const MOST_TIMES = 256;

/** The most bytes that layers of so many packed bytes may unpack to: real ones have far fewer. */
export function mostUnpacked(packed: number): number {
  return MOST_UNPACKED + MOST_TIMES * packed;
}

/** The bytes of a blob as they are unpacked, whatever its compression is; null if it is no layer. Errors are those of its bytes. */
export async function unpacked(pieces: Bytes): Promise<Bytes | null> {
  const { head, whole } = await sniff(pieces);
  const content = contentOf(head);
  if (content === "zstd") return decompressZstd(whole);
  if (content === "tar" || content === "empty") return whole;
  if (content !== "gzip") return null;
  const [{ Readable }, { createGunzip }] = await Promise.all([import("node:stream"), import("node:zlib")]);
  const gunzip = createGunzip({ chunkSize: GUNZIP_BYTES });
  const source = Readable.from(whole, { objectMode: false });
  source.on("error", (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

export async function drain(bytes: Bytes): Promise<void> {
  for await (const chunk of bytes) void chunk;
}

/** Reads a layer's tar as it is stored. @throws Error if its compression or its tar is damaged */
export async function readLayer(bytes: Bytes, content: Content, options: LayerOptions): Promise<Layer> {
  const [{ pipeline }, { createGunzip }] = await Promise.all([
    import("node:stream/promises"),
    import("node:zlib"),
  ]);
  const extract = createExtract();
  const layer = collectLayer(extract, options);
  if (content === "gzip") await pipeline(bytes, createGunzip({ chunkSize: GUNZIP_BYTES }), extract);
  else if (content === "zstd") await pipeline(decompressZstd(bytes), extract);
  else if (content === "tar") await pipeline(bytes, extract);
  else await drain(bytes);
  return layer;
}
