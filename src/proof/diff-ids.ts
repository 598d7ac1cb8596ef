import { buffer } from "node:stream/consumers";
import { isDigest } from "../model/image-reference.ts";
import { platformManifests } from "./platform-manifests.ts";
import type { ReadDeps } from "./read-bundles.ts";

/** The largest configuration of an image that is read, in bytes. */
const MOST_CONFIG = 4 << 20;

const objectIn = (bytes: Uint8Array): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

/**
 * What the layers of an image unpack to, lowest first, as its registry says.
 * @returns null for what is no image of that platform
 * @throws FactoryError REGISTRY_*
 */
export async function servedDiffIds(
  { client, again, signal }: ReadDeps,
  digest: string,
  platform: string,
): Promise<string[] | null> {
  const served = await again(() => client.manifest(digest, { signal }));
  const all = platformManifests(served);
  if (typeof all === "string") return null;
  // `linux/arm64` is also what an index calls `linux/arm64/v8`.
  const own =
    all.find((one) => one.platform === platform) ??
    all.find((one) => one.platform?.startsWith(`${platform}/`) ?? true);
  if (!own) return null;
  const { bytes } =
    own.digest === served.digest ? served : await again(() => client.manifest(own.digest, { signal }));
  const { digest: config, size } = (objectIn(bytes).config ?? {}) as { digest?: unknown; size?: unknown };
  if (typeof config !== "string" || !isDigest(config) || typeof size !== "number") return null;
  const text = await again(() =>
    buffer(client.blob({ digest: config, size }, { most: MOST_CONFIG, signal })),
  );
  const { diff_ids } = (objectIn(text).rootfs ?? {}) as { diff_ids?: unknown };
  return Array.isArray(diff_ids) && diff_ids.every((one) => typeof one === "string") ? diff_ids : null;
}
