import { sha256 } from "../../src/model/digest.ts";
import type { ServedRegistry } from "./oci-server.ts";

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

type Stored = ReturnType<ServedRegistry["of"]>;

/** A part of a manifest, as others name it. */
export interface Named {
  mediaType: string;
  digest: string;
  size: number;
}

const named = (mediaType: string, bytes: Buffer): Named => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.length,
});

export function putBlob({ blobs }: Stored, text: string, mediaType = "application/octet-stream"): Named {
  const bytes = Buffer.from(text);
  blobs.set(sha256(bytes), bytes);
  return named(mediaType, bytes);
}

export function putDocument({ manifests }: Stored, document: object, mediaType: string): Named {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  manifests.set(sha256(bytes), { bytes, mediaType });
  return named(mediaType, bytes);
}

/** An image of one platform, with layers of these texts. */
export function putImage(stored: Stored, ...layers: string[]): Named {
  const config = putBlob(stored, JSON.stringify({ architecture: "amd64", os: "linux", layers }));
  return putDocument(stored, { config, layers: layers.map((text) => putBlob(stored, text)) }, MANIFEST);
}

/** An artifact that refers to something. */
export function putReferrer(stored: Stored, subject: Named, artifactType: string, text: string): Named {
  const config = putBlob(stored, "{}", "application/vnd.oci.empty.v1+json");
  return putDocument(stored, { artifactType, config, layers: [putBlob(stored, text)], subject }, MANIFEST);
}
