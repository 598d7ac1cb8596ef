import { FactoryError } from "../errors.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import { manifestOf } from "../handover/archive-layout.ts";
import { Unsound } from "../handover/descriptors.ts";
import { gatherImage, type GatherDeps } from "../handover/gather.ts";
import type { RecordImage } from "../schemas/types.ts";
import { openStored, type StoredImage } from "./stored-image.ts";

/**
 * The image of a record, from the engine or the registry that it was pushed to, by the digests of the record; or why neither
 * gives it.
 * @throws FactoryError IMAGE_UNREADABLE, WRITE_FAILED, INTERRUPTED
 */
export async function recordedImage(
  image: Pick<RecordImage, "ref" | "digest" | "manifest_digest" | "pushed">,
  blobs: BlobFolder,
  deps: GatherDeps,
): Promise<{ image: StoredImage } | { why: string }> {
  try {
    const gathered = await gatherImage(image, blobs, deps);
    if (!gathered)
      return {
        why: image.pushed ? "neither the engine nor its registry has it" : "the engine does not have it",
      };
    const { manifest_digest } = image;
    const manifest = manifestOf(gathered.closure, { image: gathered.image, manifest_digest });
    return { image: openStored("the recorded image", manifest, blobs) };
  } catch (error) {
    if (error instanceof Unsound) return { why: error.message };
    const isAway = error instanceof FactoryError && error.exitCode === 3 && error.code !== "WRITE_FAILED";
    if (!isAway) throw error;
    return { why: error.message };
  }
}
