import { Readable } from "node:stream";
import type { StoredImage } from "../compare/stored-image.ts";
import { openStored } from "../compare/stored-image.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import type { Descriptor } from "../handover/descriptors.ts";
import { sha256 } from "../model/digest.ts";
import { imageLabels } from "../model/image-labels.ts";
import { annotationsOf } from "../stitch/labels.ts";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";

async function keep(blobs: BlobFolder, document: object, mediaType: string): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = sha256(bytes);
  await blobs.keep(digest, Readable.from([bytes]));
  return { mediaType, digest, size: bytes.length };
}

/** A history with one entry for each layer: tools expect as many. */
function historyOf(count: number, by: string, created: unknown): object[] {
  const entry = { ...(typeof created === "string" && { created }), created_by: by };
  return Array.from({ length: count }, () => entry);
}

/**
 * An image of an original's configuration and other layers. What a repacking program makes of the configuration is not used: only
 * the hashes of its layers are, and, where there are others than before, a history of as many entries.
 * @param blobs has the layers
 * @param by the program, for the history
 */
export async function assemble(
  original: StoredImage,
  { layers, diffIds }: Pick<StoredImage, "layers" | "diffIds">,
  { blobs, by }: { blobs: BlobFolder; by: string },
): Promise<{ image: StoredImage; manifest: Descriptor }> {
  const isSame = diffIds.join() === original.diffIds.join();
  const others = {
    rootfs: { type: "layers", diff_ids: diffIds },
    history: historyOf(layers.length, by, original.config.created),
  };
  const config = await keep(blobs, { ...original.config, ...(isSame ? {} : others) }, CONFIG_TYPE);
  const own = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const annotations = annotationsOf(imageLabels(original.config));
  const manifest = await keep(
    blobs,
    {
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config,
      layers: own,
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    MANIFEST_TYPE,
  );
  const about = { digest: manifest.digest, config, layers: own };
  return { image: openStored("the repacked image", about, blobs), manifest };
}

/**
 * An image of an original's layers that a repacking program gets: with the platform, and nothing that it could run or change.
 * @param given the layers, and hashes of what they unpack to
 * @returns its manifest
 */
export async function bareImage(
  original: Pick<StoredImage, "config">,
  given: Pick<StoredImage, "layers" | "diffIds">,
  blobs: BlobFolder,
): Promise<Descriptor> {
  const { os, architecture, variant } = original.config;
  const rootfs = { type: "layers", diff_ids: given.diffIds };
  const history = historyOf(given.layers.length, "original", undefined);
  const about = { os, architecture, ...(variant !== undefined && { variant }), config: {}, rootfs, history };
  const config = await keep(blobs, about, CONFIG_TYPE);
  const layers = given.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  return keep(blobs, { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers }, MANIFEST_TYPE);
}
