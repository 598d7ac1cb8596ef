import { extract as createExtract } from "tar-stream";
import { pipeline as pipe, type Readable } from "node:stream";
import { FactoryError } from "../errors.ts";
import { contentOf, drain, readLayer, sniff, type Bytes } from "./blob.ts";
import type { Layer, LayerOptions } from "./layer.ts";
import { cleanPath } from "./paths.ts";

/** The contents of a saved image, by the name of the entry: `index.json`, `blobs/sha256/…`. */
export interface Archive {
  /** JSON documents, as text. */
  documents: Map<string, string>;
  layers: Map<string, Layer>;
}

/** Documents are manifests, indexes and configs; larger ones are something else. */
export const DOCUMENT_BYTES = 4 << 20;

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

/**
 * Reads a saved image (`docker image save`, or an OCI layout as a tar) in one pass. Blobs may come in any order;
 * of each layer only what an inventory needs is kept, within the budget.
 * @throws FactoryError IMAGE_UNREADABLE if a blob is damaged or the budget is exceeded
 */
export async function readArchive(stream: Readable, options: LayerOptions): Promise<Archive> {
  const archive: Archive = { documents: new Map(), layers: new Map() };
  const extract = createExtract();
  // Its errors reach the loop below through the parser; each stream ends the other.
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
