import { join } from "node:path";
import { writeWhole } from "../files/write-whole.ts";
import { INDEX_TYPE, type Descriptor } from "../handover/descriptors.ts";
import { MARK } from "../handover/archive-layout.ts";
import { canonicalJson } from "../model/digest.ts";

/** The bytes of an index.json that names one image. @param annotations of its entry */
export function indexOf(image: Descriptor, about: { platform?: string; annotations?: object } = {}): Buffer {
  const { mediaType, digest, size } = image;
  const [os, architecture, variant] = about.platform?.split("/") ?? [];
  const platform = os !== undefined && { platform: { os, architecture, ...(variant && { variant }) } };
  const entry = {
    mediaType,
    digest,
    size,
    ...platform,
    ...(about.annotations && { annotations: about.annotations }),
  };
  return Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [entry] }));
}

/** Makes a folder of blobs an OCI layout with one image. @throws FactoryError WRITE_FAILED */
export function writeMarks(layout: string, image: Descriptor, platform: string): void {
  writeWhole(join(layout, "oci-layout"), MARK, false);
  writeWhole(join(layout, "index.json"), indexOf(image, { platform }), false);
}
