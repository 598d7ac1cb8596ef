import { FactoryError } from "../errors.ts";
import type { Archive } from "./archive.ts";
import type { Layer } from "./layer.ts";

/** The image manifest of one platform: its layers from the bottom up, and its digest if the archive has it. */
export interface ChosenManifest {
  digest: string | null;
  platform: string | null;
  layers: Layer[];
  /** Its configuration; empty if there is none that can be read. */
  config: Readonly<Record<string, unknown>>;
  /** The digests of the indexes and manifests that lead to it, including its own. */
  digests: string[];
}

/** JSON documents by their names: `index.json`, `blobs/sha256/…`. */
export type Documents = Pick<ReadonlyMap<string, string>, "get">;

/** The contents of an image manifest. */
export interface FoundManifest {
  digest: string;
  platform: string | null;
  /** Names of blobs, from the bottom up. */
  layers: string[];
  /** The name of the config's blob. */
  config: string;
  digests: string[];
}

type Json = { readonly [key: string]: unknown };

const DEEPEST_INDEX = 4;
const MOST_MANIFESTS = 1000;

function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const asText = (value: unknown) => (typeof value === "string" ? value : "");

/** The path of the blob with this digest in an OCI layout. */
const blobName = (digest: string) => `blobs/${digest.replace(":", "/")}`;

function parse(documents: Documents, name: string): unknown {
  const text = documents.get(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FactoryError("IMAGE_UNREADABLE", `${name} of the saved image is not JSON`, { cause });
  }
}

function platformOf(value: unknown): string | null {
  const { os, architecture, variant } = asObject(value);
  if (!asText(os) || !asText(architecture)) return null;
  return [asText(os), asText(architecture), asText(variant)].filter(Boolean).join("/");
}

/** Whether an image for `found` fits the request for `asked`: without a variant, every variant fits. */
export function fits(found: string | null, asked: string): boolean {
  if (found === null) return true;
  const [os, architecture, variant] = found.split("/");
  const [askedOs, askedArchitecture, askedVariant] = asked.split("/");
  if (os !== askedOs || architecture !== askedArchitecture) return false;
  return !variant || !askedVariant || variant === askedVariant;
}

function manifestsBelow(
  documents: Documents,
  index: Json,
  above: string[],
  found: FoundManifest[] = [],
): FoundManifest[] {
  for (const entry of asArray(index.manifests)) {
    const descriptor = asObject(entry);
    const digest = asText(descriptor.digest);
    const document = asObject(parse(documents, blobName(digest)));
    const attests = asObject(descriptor.annotations)["vnd.docker.reference.type"] === "attestation-manifest";
    const named = platformOf(descriptor.platform);
    if (attests || named?.startsWith("unknown/") || found.length >= MOST_MANIFESTS) continue;
    const digests = [...above, digest];
    if (Array.isArray(document.manifests)) {
      if (digests.length < DEEPEST_INDEX) manifestsBelow(documents, document, digests, found);
    } else if (Array.isArray(document.layers)) {
      const config = blobName(asText(asObject(document.config).digest));
      const layers = document.layers.map((layer) => blobName(asText(asObject(layer).digest)));
      const platform = platformOf(parse(documents, config)) ?? named;
      found.push({ digest, platform, layers, config, digests });
    }
  }
  return found;
}

/** The image manifests that index.json leads to, in its order, without attestations; null if there is no index.json. */
export function manifestsIn(documents: Documents): FoundManifest[] | null {
  const index = parse(documents, "index.json");
  return index === undefined ? null : manifestsBelow(documents, asObject(index), []);
}

/** The image manifests at or below a digest, in the same way. */
export function manifestsUnder(documents: Documents, digest: string): FoundManifest[] {
  return manifestsBelow(documents, { manifests: [{ digest }] }, []);
}

/** The configuration of an image whose manifest was found. */
export function configOf(documents: Documents, { config }: FoundManifest): ChosenManifest["config"] {
  return asObject(parse(documents, config));
}

export function noLayer(name: string): FactoryError {
  return new FactoryError(
    "IMAGE_UNREADABLE",
    `layer ${name} is not in the saved image, or is not a tar, gzip or zstd file`,
    { fix: "pull the image for this platform again" },
  );
}

function layersOf(archive: Archive, names: string[]): Layer[] {
  return names.map((name) => {
    const layer = archive.layers.get(name);
    if (!layer) throw noLayer(name);
    return layer;
  });
}

/** The layers of an archive from an engine that does not write an OCI index. */
function withoutIndex(archive: Archive): ChosenManifest {
  const [entry] = asArray(parse(archive.documents, "manifest.json"));
  const names = asObject(entry).Layers;
  if (!Array.isArray(names)) {
    throw new FactoryError(
      "IMAGE_UNREADABLE",
      "the saved image has neither an index.json nor a manifest.json",
    );
  }
  const config = asObject(parse(archive.documents, asText(asObject(entry).Config)));
  const layers = layersOf(archive, names.map(asText));
  return { digest: null, platform: platformOf(config), layers, config, digests: [] };
}

/**
 * The manifest of one platform in a saved image, reached through index.json and any image indexes below it.
 * @param platform such as `linux/arm64`
 * @throws FactoryError IMAGE_UNREADABLE if the archive has no image for the platform, or lacks one of its layers
 */
export function chooseManifest(archive: Archive, platform: string): ChosenManifest {
  const candidates = manifestsIn(archive.documents);
  if (candidates === null) return withoutIndex(archive);
  const chosen = candidates.find((candidate) => fits(candidate.platform, platform));
  if (!chosen) {
    const held = candidates.map((candidate) => candidate.platform ?? "an unnamed platform").join(", ");
    throw new FactoryError(
      "IMAGE_UNREADABLE",
      `the saved image is for ${held || "no platform"}, not for ${platform}`,
      {
        fix: `build or pull the image for ${platform}`,
      },
    );
  }
  const { digest, digests, platform: own } = chosen;
  const layers = layersOf(archive, chosen.layers);
  return { digest, platform: own, digests, layers, config: configOf(archive.documents, chosen) };
}
