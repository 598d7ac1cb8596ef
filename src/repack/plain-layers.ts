import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { extract as createExtract, type Header, pack as createPack } from "tar-stream";
import { type StoredImage, unreadable } from "../compare/stored-image.ts";
import { FactoryError } from "../errors.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import type { Descriptor } from "../handover/descriptors.ts";
import { type Bytes, unpacked } from "../sbom/blob.ts";
import { cleanPath } from "../sbom/paths.ts";

const TAR_TYPE = "application/vnd.oci.image.layer.v1.tar";

/** What a header says in another place too: there it would be what counts. */
const SAID_TWICE = new Set(["path", "linkpath", "size"]);

/** A header with its names in one spelling; null for the root itself. */
function plainHeader(header: Header): Header | null {
  const name = cleanPath(header.name) ?? header.name;
  if (name === "") return null;
  const linkname =
    header.type === "link" ? (cleanPath(header.linkname ?? "") ?? header.linkname) : header.linkname;
  const pax = Object.entries((header.pax ?? {}) as Record<string, string>).filter(
    ([key]) => !SAID_TWICE.has(key),
  );
  return { ...header, name, linkname, pax: pax.length > 0 ? Object.fromEntries(pax) : undefined };
}

/** The same tar with names in one spelling: `etc/x`, and not `./etc/x`. */
async function* renamed(bytes: Bytes): AsyncGenerator<Uint8Array, void> {
  const extract = createExtract();
  const pack = createPack();
  const copy = async (): Promise<void> => {
    for await (const entry of extract) {
      const header = plainHeader(entry.header);
      if (header === null) {
        entry.resume();
        continue;
      }
      if ((header.size ?? 0) > 0) await pipeline(entry, pack.entry(header));
      else {
        entry.resume();
        pack.entry(header, "");
      }
    }
    pack.finalize();
  };
  const fail = (error: unknown): void => void pack.destroy(error as Error);
  const done = Promise.all([pipeline(bytes, extract), copy()]).catch(fail);
  yield* pack as unknown as Bytes;
  await done;
}

/**
 * A layer whose names have one spelling, unpacked: some programs take `./etc/x` and `etc/x` for two files.
 * @param at its place, from 0
 * @throws FactoryError IMAGE_UNREADABLE, WRITE_FAILED, INTERRUPTED
 */
async function plainLayer(
  { title, blobs: from, layers }: StoredImage,
  at: number,
  { blobs, signal }: { blobs: BlobFolder; signal: AbortSignal },
): Promise<{ layer: Descriptor; diffId: string }> {
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    const bytes = await unpacked(from.pieces(layers[at]?.digest ?? ""));
    if (!bytes) throw unreadable(title, `its layer ${at + 1} is no tar`);
    for await (const piece of renamed(bytes)) {
      if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while an image was prepared");
      yield piece;
    }
  }
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of pieces()) {
    hash.update(piece);
    size += piece.length;
  }
  const digest = `sha256:${hash.digest("hex")}`;
  if (!(await blobs.keep(digest, pieces()))) throw unreadable(title, `its layer ${at + 1} changed meanwhile`);
  return { layer: { mediaType: TAR_TYPE, digest, size }, diffId: digest };
}

/**
 * An image's layers, some of them with names in one spelling.
 * @param odd places of the layers that are to be written anew
 * @throws FactoryError IMAGE_UNREADABLE, WRITE_FAILED, INTERRUPTED
 */
export async function plainLayers(
  image: StoredImage,
  odd: readonly number[],
  to: { blobs: BlobFolder; signal: AbortSignal },
): Promise<Pick<StoredImage, "layers" | "diffIds">> {
  const layers = [...image.layers];
  const diffIds = [...image.diffIds];
  for (const at of odd) {
    const { layer, diffId } = await plainLayer(image, at, to);
    layers[at] = layer;
    diffIds[at] = diffId;
  }
  return { layers, diffIds };
}
