import type { LayerCache } from "./layer-cache.ts";
import { createNotes } from "./notes.ts";
import { readLayout } from "./read-layout.ts";

/**
 * Loads the code that makes SBOMs, and reads the layers of images in OCI layouts into the cache.
 * @param layouts each with the digest of the image, or of an index above it
 * @param platforms the images' platforms, in any order
 * @throws FactoryError IMAGE_UNREADABLE; the signal's reason
 */
export async function readAhead(
  layouts: readonly { layout: string; digest: string }[],
  platforms: readonly string[],
  cache: LayerCache,
  signal?: AbortSignal,
): Promise<void> {
  await import("./sbom.ts");
  for (const { layout, digest } of layouts) {
    for (const platform of platforms) {
      const options = { digest, platform, wanted: new Set<string>(), notes: createNotes(), cache, signal };
      if (await readLayout(layout, options)) break;
    }
  }
}
