import { FactoryError } from "../errors.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import type { ImageManifest } from "../handover/archive-layout.ts";
import { descriptorIn, objectIn, Unsound, type Descriptor } from "../handover/descriptors.ts";
import { type HistoryEntry, historyIn } from "../sbom/layer-origin.ts";

/** An image of one platform whose blobs lie in a folder. */
export interface StoredImage {
  /** For people: `the recorded image`. */
  title: string;
  /** Of its manifest. */
  digest: string;
  blobs: Pick<BlobFolder, "read" | "pieces">;
  layers: readonly Descriptor[];
  /** Hashes of the unpacked layers, as its configuration says. */
  diffIds: readonly string[];
  history: readonly HistoryEntry[];
  /** The whole configuration. */
  config: Readonly<Record<string, unknown>>;
}

/** The most layers that an image is compared with: engines stop at 128. */
const MOST_LAYERS = 1000;

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}

/** The error for an image that is not what it should be. */
export function unreadable(title: string, what: string, cause?: unknown): FactoryError {
  return new FactoryError("IMAGE_UNREADABLE", `${title} cannot be read: ${what}`, {
    fix: "see whether the engine or the registry that it came from is damaged",
    cause,
  });
}

/**
 * An image whose blobs have their digests, with its configuration read.
 * @throws FactoryError IMAGE_UNREADABLE
 */
export function openStored(
  title: string,
  { digest, config, layers }: ImageManifest,
  blobs: StoredImage["blobs"],
): StoredImage {
  try {
    const about = objectIn(blobs.read(config.digest), "its configuration");
    const { diff_ids } = (about.rootfs ?? {}) as { diff_ids?: unknown };
    const diffIds = listIn(diff_ids).map(String);
    if (diffIds.length !== layers.length || layers.length > MOST_LAYERS)
      throw new Unsound(`it has ${layers.length} layers, and its configuration ${diffIds.length}`);
    return { title, digest, blobs, layers, diffIds, history: historyIn(about), config: about };
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    throw unreadable(title, error.message, error);
  }
}

/** The image that a manifest in a folder of blobs describes. @throws FactoryError IMAGE_UNREADABLE */
export function storedUnder(title: string, digest: string, blobs: StoredImage["blobs"]): StoredImage {
  try {
    const { config, layers } = objectIn(blobs.read(digest), "its manifest");
    const manifest = { digest, config: descriptorIn(config), layers: listIn(layers).map(descriptorIn) };
    return openStored(title, manifest, blobs);
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    throw unreadable(title, error.message, error);
  }
}
