import { createHash } from "node:crypto";
import { FactoryError } from "../errors.ts";
import { isRefusal } from "../files/refused.ts";
import { fits } from "../sbom/manifest.ts";
import { type Bytes, mostUnpacked, unpacked } from "../sbom/blob.ts";
import type { FactoryRecord, RecordImage } from "../schemas/types.ts";
import { BUILD_KEY_LABEL } from "../stitch/labels.ts";
import { Unsound } from "./descriptors.ts";
import type { ImageManifest } from "./archive-layout.ts";

interface Config {
  os?: unknown;
  architecture?: unknown;
  variant?: unknown;
  config?: { Labels?: Record<string, unknown> | null } | null;
  rootfs?: { diff_ids?: unknown } | null;
}

/**
 * Whether an image is the one of a record: its platform, its build key, how many layers it has, and what these unpack to.
 * @param pieces gives the bytes of a blob that is there
 * @throws Unsound if it is not
 */
export async function checkImage(
  { image, platform, build_key }: FactoryRecord & { image: RecordImage },
  { config, layers }: ImageManifest,
  { read, pieces }: { read: (digest: string) => Buffer; pieces: (digest: string) => Bytes },
): Promise<void> {
  let about: Config;
  try {
    about = (JSON.parse(read(config.digest).toString("utf8")) ?? {}) as Config;
  } catch {
    throw new Unsound("the configuration of its image is not JSON");
  }
  const found = [about.os, about.architecture, about.variant].filter(Boolean).join("/");
  if (typeof about.os !== "string" || typeof about.architecture !== "string" || !fits(found, platform))
    throw new Unsound(`its image is for ${JSON.stringify(found)}, and its record for ${platform}`);
  if (about.config?.Labels?.[BUILD_KEY_LABEL] !== build_key)
    throw new Unsound("its image does not have the build key of its record");
  const ids: unknown[] = Array.isArray(about.rootfs?.diff_ids) ? about.rootfs.diff_ids : [];
  if (layers.length !== image.layers || ids.length !== layers.length)
    throw new Unsound(`its image has ${layers.length} layers, and its record says ${image.layers}`);
  const packed = layers.reduce((total, { size }) => total + size, 0);
  let left = mostUnpacked(packed);
  for (const [at, layer] of layers.entries()) {
    const hash = createHash("sha256");
    try {
      const bytes = await unpacked(pieces(layer.digest));
      if (!bytes) throw new Unsound("one of its layers is no tar");
      for await (const piece of bytes) {
        left -= piece.length;
        if (left < 0) throw new Unsound("its layers unpack to very much more than they have");
        hash.update(piece);
      }
    } catch (error) {
      if (error instanceof Unsound || error instanceof FactoryError || isRefusal(error)) throw error;
      const words = error instanceof Error ? error.message : String(error);
      throw new Unsound(`its layer ${layer.digest} cannot be unpacked: ${words}`);
    }
    if (`sha256:${hash.digest("hex")}` !== ids[at])
      throw new Unsound(`its layer ${layer.digest} does not unpack to what its image says`);
  }
}
