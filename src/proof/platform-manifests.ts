import { isDigest } from "../model/image-reference.ts";
import type { ServedManifest } from "../tools/oci/manifests.ts";

/** The manifest of one platform in an image. */
export interface PlatformManifest {
  mediaType: string;
  digest: string;
  size: number;
  /** `linux/arm64/v8`; null where the index does not say. */
  platform: string | null;
}

/** As BuildKit marks the attestations of an image in an index. */
const REFERENCE_TYPE = "vnd.docker.reference.type";

/** The most platforms of an image. */
const MOST = 100;

/**
 * The manifests of an image's platforms: those of an index without its attestations, or the manifest itself.
 * @returns why there are none that could be told
 */
export function platformManifests(served: ServedManifest): PlatformManifest[] | string {
  const { bytes, mediaType, digest } = served;
  let document: { manifests?: unknown; mediaType?: unknown } | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof document;
  } catch {
    return "is not JSON";
  }
  if (document?.mediaType !== undefined && document.mediaType !== mediaType)
    return "says that it is of another kind than the registry does";
  if (!/\.(index\.v1|list\.v2)\+json$/.test(mediaType))
    return [{ mediaType, digest, size: bytes.length, platform: null }];
  if (!Array.isArray(document?.manifests)) return "does not list manifests";
  const found: PlatformManifest[] = [];
  for (const one of document.manifests as unknown[]) {
    const {
      mediaType: type,
      digest: own,
      size,
      platform,
      annotations,
    } = (one ?? {}) as Record<string, unknown>;
    if (typeof type !== "string" || typeof own !== "string" || !isDigest(own) || typeof size !== "number")
      return "names something that is no manifest";
    const { [REFERENCE_TYPE]: reference } = (annotations ?? {}) as Record<string, unknown>;
    if (reference === "attestation-manifest") continue;
    const { os, architecture, variant } = (platform ?? {}) as Record<string, unknown>;
    const parts = [os, architecture, variant].filter((part) => typeof part === "string");
    found.push({ mediaType: type, digest: own, size, platform: parts.length < 2 ? null : parts.join("/") });
  }
  if (found.length === 0) return "names no image";
  return found.length > MOST ? `names more than ${MOST} images` : found;
}
