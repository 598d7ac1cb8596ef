import { isDigest } from "../../model/image-reference.ts";
import type { BlobName } from "./blobs.ts";
import type { ServedManifest } from "./manifests.ts";

/** What a manifest names: other manifests, or the blobs of an image or an artifact. Each once. */
export interface ManifestParts {
  manifests: BlobName[];
  blobs: BlobName[];
}

const INDEX = /^application\/vnd\.(oci\.image\.index\.v1|docker\.distribution\.manifest\.list\.v2)\+json$/;
const MANIFEST = /^application\/vnd\.(oci\.image\.manifest\.v1|docker\.distribution\.manifest\.v2)\+json$/;

/** The most that one manifest may name. */
const MOST = 1000;

/**
 * What a manifest names, by its media type. Layers that only an address on the web has (`urls`) are left out: no registry
 * holds them.
 * @returns a text that says why it cannot be told
 */
export function manifestParts({ bytes, mediaType }: ServedManifest): ManifestParts | string {
  let manifest: Record<string, unknown> | null;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof manifest;
  } catch {
    return "is not JSON";
  }
  if (typeof manifest !== "object" || manifest === null) return "is not an object";
  // One text that is read as two kinds of things is how one of them hides.
  if (manifest.mediaType !== undefined && manifest.mediaType !== mediaType)
    return "says that it is of another kind than the registry does";
  const isIndex = INDEX.test(mediaType);
  if (!isIndex && !MANIFEST.test(mediaType)) return "is of a kind that is not known";
  const named: unknown = isIndex ? manifest.manifests : manifest.layers;
  if (!Array.isArray(named) || (isIndex && manifest.layers !== undefined))
    return isIndex ? "does not list manifests" : "does not list layers";
  const all: unknown[] = isIndex ? named : [manifest.config, ...(named as unknown[])];
  if (all.length > MOST) return `names more than ${MOST} others`;
  const each = new Map<string, BlobName>();
  for (const one of all) {
    const { digest, size, urls } = (one ?? {}) as { digest?: unknown; size?: unknown; urls?: unknown };
    if (typeof digest !== "string" || !isDigest(digest)) return "names something without a digest";
    if (!Number.isSafeInteger(size) || (size as number) < 0) return `does not say the size of ${digest}`;
    if (Array.isArray(urls) && urls.length > 0) continue;
    each.set(digest, { digest, size: size as number });
  }
  return isIndex
    ? { manifests: [...each.values()], blobs: [] }
    : { manifests: [], blobs: [...each.values()] };
}
