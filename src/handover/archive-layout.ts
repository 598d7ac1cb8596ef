import { canonicalJson } from "../model/digest.ts";
import { RECORD_ARTIFACT } from "../records/remote/record-artifact.ts";
import { type Closure, type Descriptor, descriptorIn, INDEX_TYPE, objectIn, Unsound } from "./descriptors.ts";
import type { TarFile } from "./tar-frame.ts";

/*
 * The file: an OCI layout in a tar, in one order. index.json names the images, the cell's own first and those that it starts
 * from behind it, each under its fixed tag; then the record of each, as an artifact that refers to its image. manifest.json
 * is for programs that read the archives of older engines.
 */

/** An image and its record. */
export interface Handed {
  cell_id: string;
  record_id: string;
  image: Descriptor;
  /** The manifest of the record's artifact. */
  record: Descriptor;
}

export const MOST_CELLS = 16;

const NAME = "io.containerd.image.name";
const TAG = "org.opencontainers.image.ref.name";
const RECORD_ID = "io.factory.record-id";

export const MARK = Buffer.from('{"imageLayoutVersion":"1.0.0"}');

/**
 * The tag of a cell's image in a file, whatever it is made of and wherever it comes from. `localhost` is no place from which
 * somebody else could give an engine an image of that name.
 */
export function fixedTag(cellId: string): string {
  return `localhost/factory-handover:${cellId}`;
}

const bare = ({ mediaType, digest, size }: Descriptor): Descriptor => ({ mediaType, digest, size });

/** The bytes of index.json. @param withRecords false for an engine, which would take a record for an image */
export function indexJson(handed: readonly Handed[], withRecords = true): Buffer {
  const images = handed.map(({ cell_id, image }) => ({
    ...bare(image),
    annotations: { [NAME]: fixedTag(cell_id), [TAG]: cell_id },
  }));
  const records = handed.map(({ record_id, record }) => ({
    ...bare(record),
    artifactType: RECORD_ARTIFACT,
    annotations: { [RECORD_ID]: record_id },
  }));
  const manifests = [...images, ...(withRecords ? records : [])];
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }));
}

/** What index.json says, if it is as `indexJson` writes it. @throws Unsound */
export function readIndexJson(bytes: Buffer): Handed[] {
  const { manifests } = objectIn(bytes, "its index.json");
  const all = Array.isArray(manifests) ? (manifests as unknown[]) : [];
  const count = all.length / 2;
  if (!Number.isInteger(count) || count < 1 || count > MOST_CELLS)
    throw new Unsound("its index.json does not name an image and its record");
  const annotation = (value: unknown, name: string): string => {
    const { annotations } = (value ?? {}) as { annotations?: Record<string, unknown> };
    const said = annotations?.[name];
    return typeof said === "string" ? said : "";
  };
  const handed = Array.from({ length: count }, (_, at) => ({
    cell_id: annotation(all[at], TAG),
    record_id: annotation(all[count + at], RECORD_ID),
    image: descriptorIn(all[at]),
    record: descriptorIn(all[count + at]),
  }));
  if (!indexJson(handed).equals(bytes))
    throw new Unsound("its index.json is not as `factory save` writes it");
  return handed;
}

export const blobName = (digest: string): string => `blobs/${digest.replace(":", "/")}`;

/** A manifest of an image with layers. */
export interface ImageManifest {
  digest: string;
  config: Descriptor;
  layers: Descriptor[];
}

/** The manifest of an image's platform, which an index of the image leads to. @throws Unsound if it does not */
export function manifestOf(
  { documents }: Closure,
  { image, manifest_digest }: { image: Descriptor; manifest_digest: string },
): ImageManifest {
  const top = documents.get(image.digest)?.content;
  const children = Array.isArray(top?.manifests) ? top.manifests.map(descriptorIn) : [image];
  const own = children.find(({ digest }) => digest === manifest_digest);
  const content = own && documents.get(own.digest)?.content;
  if (!content || !Array.isArray(content.layers))
    throw new Unsound(
      `its image ${image.digest} does not hold the manifest ${manifest_digest} of its record`,
    );
  return {
    digest: manifest_digest,
    config: descriptorIn(content.config),
    layers: (content.layers as unknown[]).map(descriptorIn),
  };
}

/** The bytes of manifest.json, as `docker image save` writes it. */
export function manifestJson(images: readonly { cell_id: string; manifest: ImageManifest }[]): Buffer {
  return Buffer.from(
    JSON.stringify(
      images.map(({ cell_id, manifest: { config, layers } }) => ({
        Config: blobName(config.digest),
        RepoTags: [fixedTag(cell_id)],
        Layers: layers.map(({ digest }) => blobName(digest)),
      })),
    ),
  );
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}

/** A small file of the tar. */
function textFile(name: string, bytes: Buffer): TarFile {
  return { name, size: bytes.length, pieces: () => once(bytes) };
}

/** All files of the tar, in their order. @param pieces gives the bytes of a blob */
export function layoutFiles(
  index: Buffer,
  { documents, leaves }: Closure,
  manifest: Buffer,
  pieces: (digest: string) => AsyncIterable<Uint8Array>,
): TarFile[] {
  return [
    textFile("oci-layout", MARK),
    textFile("index.json", index),
    ...[...documents.values(), ...leaves.values()].map(({ digest, size }) => ({
      name: blobName(digest),
      size,
      pieces: () => pieces(digest),
    })),
    textFile("manifest.json", manifest),
  ];
}
