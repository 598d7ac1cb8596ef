import { join } from "node:path";
import { recordedImage } from "../compare/recorded-image.ts";
import { type StoredImage, storedUnder, unreadable } from "../compare/stored-image.ts";
import { FactoryError } from "../errors.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import { writeWhole } from "../files/write-whole.ts";
import { descriptorIn, objectIn, Unsound } from "../handover/descriptors.ts";
import { type GatherDeps, saveInto } from "../handover/gather.ts";
import { parseReference } from "../model/image-reference.ts";
import { listed, visible } from "../model/visible.ts";
import { openDocuments } from "../sbom/layout.ts";
import { fits, manifestsIn } from "../sbom/manifest.ts";
import type { RecordImage } from "../schemas/types.ts";

/** An image that lies in a folder, as an OCI layout. */
export interface OpenImage {
  image: StoredImage;
  platform: string;
  /** Of the indexes that lead to its manifest, and of that itself. */
  digests: string[];
  /** Absolute. */
  layout: string;
}

export interface OpenDeps extends GatherDeps {
  /** Absolute, and nobody else's; made. */
  folder: string;
}

/** What an image is for if nobody says it. */
const HERE = `linux/${process.arch === "x64" ? "amd64" : process.arch}`;

function platformOf({ config }: StoredImage): string {
  const { os, architecture, variant } = config;
  return [os, architecture, variant].filter((one) => typeof one === "string" && one !== "").join("/");
}

function otherPlatforms(name: string, held: readonly (string | null)[]): FactoryError {
  const known = held.flatMap((one) => one ?? []).map(visible);
  return new FactoryError(
    "IMAGE_NOT_FOUND",
    `${visible(name)} is there for ${listed(known) || "no platform"}`,
    {
      fix: "name one with --platform",
    },
  );
}

/** @throws FactoryError IMAGE_NOT_FOUND, ENGINE_*, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED */
async function fromEngine(name: string, platform: string | undefined, deps: OpenDeps): Promise<OpenImage> {
  const { folder } = deps;
  const blobs = openBlobFolder(folder);
  const index = await saveInto(name, blobs, deps, platform);
  if (index === null) throw unreadable(visible(name), "the engine saved it without an index");
  writeWhole(join(folder, "index.json"), index, false);
  const all = manifestsIn(openDocuments(folder)) ?? [];
  const own =
    all.length === 1 && platform === undefined
      ? all[0]
      : all.find((one) => fits(one.platform, platform ?? HERE));
  if (!own)
    throw otherPlatforms(
      name,
      all.map((one) => one.platform),
    );
  const missing = [own.config, ...own.layers]
    .map((one) => one.replace("blobs/sha256/", "sha256:"))
    .find((one) => !blobs.has(one));
  if (missing !== undefined)
    throw unreadable(visible(name), `the engine does not have all of it: ${missing}`);
  const image = storedUnder(visible(name), own.digest, blobs);
  return { image, platform: platformOf(image), digests: own.digests, layout: folder };
}

/** The manifest for a platform that an index names. @throws Unsound; FactoryError IMAGE_NOT_FOUND */
function manifestIn(name: string, index: readonly unknown[], platform: string): string {
  const held = index.map((one) => {
    const { os, architecture, variant } =
      ((one ?? {}) as { platform?: Record<string, unknown> }).platform ?? {};
    return [os, architecture, variant].filter((part) => typeof part === "string").join("/");
  });
  const at = held.findIndex((one) => one !== "" && fits(one, platform));
  if (at < 0) throw otherPlatforms(name, held);
  return descriptorIn(index[at]).digest;
}

/** @throws RegistryError; FactoryError REFERENCE_INVALID, IMAGE_NOT_FOUND, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED */
async function fromRegistry(name: string, platform: string | undefined, deps: OpenDeps): Promise<OpenImage> {
  const { signal } = deps;
  const ref = parseReference(name);
  const { repository, again } = await deps.registries();
  const { bytes, digest } = await again(() =>
    repository(ref).manifest(ref.digest ?? ref.tag ?? "latest", { signal }),
  );
  let own = digest;
  try {
    const { manifests } = objectIn(Buffer.from(bytes), "its manifest");
    if (Array.isArray(manifests)) own = manifestIn(name, manifests, platform ?? HERE);
  } catch (error) {
    if (error instanceof Unsound) throw unreadable(visible(name), error.message, error);
    throw error;
  }
  const about = { ref: name, digest: own, manifest_digest: own, pushed: true };
  const found = await openGathered(name, about, deps);
  if (platform !== undefined && !fits(found.platform, platform)) throw otherPlatforms(name, [found.platform]);
  return { ...found, digests: [...new Set([digest, own])] };
}

/** An image by its digests, from the engine or its registry. @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED */
async function openGathered(
  name: string,
  about: Pick<RecordImage, "ref" | "digest" | "manifest_digest" | "pushed">,
  deps: OpenDeps,
): Promise<OpenImage> {
  const { folder } = deps;
  const found = await recordedImage(about, openBlobFolder(folder), deps);
  if ("why" in found)
    throw new FactoryError("IMAGE_NOT_FOUND", `the image of ${visible(name)}: ${visible(found.why)}`, {
      fix: "run the cell again, or get the image from where it was saved or pushed",
    });
  const { image } = found;
  writeWhole(join(folder, "index.json"), JSON.stringify({ manifests: [{ digest: image.digest }] }), false);
  return { image, platform: platformOf(image), digests: [about.digest, image.digest], layout: folder };
}

/** The image of a record, by its digests. @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED */
export function openRecorded(recordId: string, image: RecordImage, deps: OpenDeps): Promise<OpenImage> {
  return openGathered(recordId, image, deps);
}

/**
 * An image by its name or digest: from the engine, else from the registry that its name begins with.
 * @throws FactoryError IMAGE_NOT_FOUND, ENGINE_*, REGISTRY_*, REFERENCE_INVALID, IMAGE_UNREADABLE, INTERRUPTED, WRITE_FAILED
 */
export async function openNamed(
  name: string,
  platform: string | undefined,
  deps: OpenDeps,
): Promise<OpenImage> {
  try {
    return await fromEngine(name, platform, deps);
  } catch (error) {
    const isAway = error instanceof FactoryError && error.exitCode === 3 && error.code !== "WRITE_FAILED";
    // What has no registry in its name can be nowhere else.
    if (!isAway || !/^[^/]*(localhost|[.:])[^/]*\//.test(name)) throw error;
    return fromRegistry(name, platform, deps);
  }
}
