import { extract as createExtract } from "tar-stream";
import { pipeline as pipe, type Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import { collectLayer, type Layer, type LayerOptions } from "./layer.ts";
import { cleanPath } from "./paths.ts";

/** What a saved image holds, by the name of the entry: `index.json`, `blobs/sha256/…`. */
export interface Archive {
  /** JSON documents, as text. */
  documents: Map<string, string>;
  layers: Map<string, Layer>;
}

/** Documents are manifests, indexes and configs; larger ones are something else. */
const DOCUMENT_BYTES = 4 << 20;
const SNIFFED_BYTES = 512;

/** fzstd hands over a whole input's output at once: small pieces keep a bomb's share of it at 32 MiB. */
const ZSTD_PIECE = 1024;

type Bytes = AsyncIterable<Uint8Array>;
type Content = "document" | "tar" | "gzip" | "zstd" | "empty" | "unknown";

function contentOf(head: Uint8Array): Content {
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

/** The first bytes of a stream, and the whole of it once more. */
async function sniff(stream: Bytes): Promise<{ head: Buffer; whole: Bytes }> {
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

async function* decompressZstd(source: Bytes): Bytes {
  const { Decompress } = await import("fzstd");
  let ready: Uint8Array[] = [];
  const stream = new Decompress((bytes) => void ready.push(bytes));
  const take = () => {
    const taken = ready.filter((bytes) => bytes.length > 0);
    ready = [];
    return taken;
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += ZSTD_PIECE) {
      stream.push(chunk.subarray(at, at + ZSTD_PIECE));
      yield* take();
    }
  }
  stream.push(new Uint8Array(0), true);
  yield* take();
}

async function drain(bytes: Bytes): Promise<void> {
  for await (const chunk of bytes) void chunk;
}

async function readDocument(bytes: Bytes, options: LayerOptions): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size <= DOCUMENT_BYTES) chunks.push(chunk);
  }
  if (size > DOCUMENT_BYTES) return null;
  options.budget.keep(size);
  return Buffer.concat(chunks).toString("utf8");
}

async function readLayer(bytes: Bytes, content: Content, options: LayerOptions): Promise<Layer> {
  const [{ pipeline }, { createGunzip }] = await Promise.all([
    import("node:stream/promises"),
    import("node:zlib"),
  ]);
  const extract = createExtract();
  const layer = collectLayer(extract, options);
  if (content === "gzip") await pipeline(bytes, createGunzip({ chunkSize: 128 << 10 }), extract);
  else if (content === "zstd") await pipeline(decompressZstd(bytes), extract);
  else if (content === "tar") await pipeline(bytes, extract);
  else await drain(bytes);
  return layer;
}

/**
 * Reads a saved image (`docker image save`, or an OCI layout as a tar) in one pass. Blobs may come in any order;
 * of each layer only what an inventory needs is kept, within the budget.
 * @throws FactoryError IMAGE_UNREADABLE where a blob is damaged or the budget is spent
 */
export async function readArchive(stream: Readable, options: LayerOptions): Promise<Archive> {
  const archive: Archive = { documents: new Map(), layers: new Map() };
  const extract = createExtract();
  // Its errors reach the loop below through the parser; both streams end with either.
  pipe(stream, extract, () => undefined);
  let name = "";
  try {
    for await (const entry of extract) {
      name = cleanPath(entry.header.name) ?? "";
      entry.on("error", () => undefined);
      if (entry.header.type !== "file") {
        entry.resume();
        continue;
      }
      const { head, whole } = await sniff(entry as unknown as Bytes);
      const content = contentOf(head);
      if (content === "unknown") await drain(whole);
      else if (content === "document") {
        const text = await readDocument(whole, options);
        if (text !== null) archive.documents.set(name, text);
      } else archive.layers.set(name, await readLayer(whole, content, options));
    }
  } catch (cause) {
    if (cause instanceof FactoryError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FactoryError("IMAGE_UNREADABLE", `cannot read ${name || "the image"} as saved: ${reason}`, {
      cause,
    });
  }
  return archive;
}
