import { canonicalJson, sha256 } from "../model/digest.ts";
import { isDigest } from "../model/image-reference.ts";
import { compareText } from "../model/compare.ts";
import type { ServedManifest } from "../tools/oci/manifests.ts";
import type { ProvenImage } from "./proven-image.ts";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const LIST_TYPE = "application/vnd.docker.distribution.manifest.list.v2+json";

const MANIFEST_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** As BuildKit marks the attestations of an image in an index. */
const REFERENCE_TYPE = "vnd.docker.reference.type";
const REFERENCE_DIGEST = "vnd.docker.reference.digest";

/** A manifest in an index. What else the index says of it is kept. */
interface Member extends Record<string, unknown> {
  mediaType: string;
  digest: string;
  size: number;
  annotations: Readonly<Record<string, string>>;
}

/** An image as its registry has it. */
export interface ServedImage extends ProvenImage {
  served: ServedManifest;
  /** The labels in its configuration. */
  labels: Readonly<Record<string, string>>;
}

/** What a tag is to name. */
export interface Joined {
  bytes: Uint8Array;
  mediaType: string;
  digest: string;
  /** What a repository has to have first: manifests, with all that they name. */
  members: { digest: string; from: ProvenImage["repository"] }[];
}

function member(value: unknown): Member | null {
  const { mediaType, digest, size, annotations = {} } = (value ?? {}) as Record<string, unknown>;
  if (typeof mediaType !== "string" || typeof digest !== "string" || !isDigest(digest)) return null;
  if (typeof size !== "number" || typeof annotations !== "object") return null;
  return {
    ...(value as object),
    mediaType,
    digest,
    size,
    annotations: annotations as Record<string, string>,
  };
}

/** The manifests in an index; null where it is none. */
function membersOf(bytes: Uint8Array): Member[] | null {
  let index: { manifests?: unknown } | null;
  try {
    index = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof index;
  } catch {
    return null;
  }
  if (!Array.isArray(index?.manifests)) return null;
  const members = (index.manifests as unknown[]).map(member);
  return members.every((one) => one !== null) ? members : null;
}

const isIndex = (mediaType: string): boolean => mediaType === INDEX_TYPE || mediaType === LIST_TYPE;

function platformOf(platform: string): Record<string, string> {
  const [os = "", architecture = "", variant] = platform.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Whether an index says of a manifest that it is of another platform. */
function isForeign({ platform }: Member, wanted: string): boolean {
  if (platform === undefined) return false;
  const { os, architecture } = (platform ?? {}) as Record<string, unknown>;
  const expected = platformOf(wanted);
  return os !== expected.os || architecture !== expected.architecture;
}

/** The image manifest of a platform and its attestations, or why they are not what the record says. */
function partsOf({
  served,
  ...image
}: ServedImage): { image: Member; attestations: Member[] } | { why: string } {
  const { platform, digest, manifest_digest, record_id } = image;
  if (MANIFEST_TYPES.includes(served.mediaType)) {
    if (served.digest !== manifest_digest)
      return { why: `${digest} is another image than ${record_id} proves: ${manifest_digest}` };
    const { bytes, mediaType } = served;
    const own = { mediaType, digest: served.digest, size: bytes.length, annotations: {} };
    return { image: { ...own, platform: platformOf(platform) }, attestations: [] };
  }
  const members = isIndex(served.mediaType) ? membersOf(served.bytes) : null;
  if (members === null) return { why: `${digest} is neither an image nor an index of images` };
  const isAttestation = ({ annotations }: Member) => annotations[REFERENCE_TYPE] === "attestation-manifest";
  const [only, ...more] = members.filter((one) => !isAttestation(one));
  if (only?.digest !== manifest_digest || more.length > 0 || isForeign(only, platform))
    return { why: `${digest} has other images in it than ${record_id} proves: ${manifest_digest}` };
  const attestations = members.filter(isAttestation);
  if (attestations.some(({ annotations }) => annotations[REFERENCE_DIGEST] !== manifest_digest))
    return { why: `${digest} has attestations of another image in it` };
  return { image: { ...only, platform: only.platform ?? platformOf(platform) }, attestations };
}

/** What the images of all platforms say of themselves alike, as annotations of their index. */
function sharedLabels(images: readonly ServedImage[]): Record<string, string> {
  const [first, ...others] = images;
  return Object.fromEntries(
    Object.entries(first?.labels ?? {})
      .filter(([name, value]) => {
        if (value === "" || !/^(org\.opencontainers\.image|io\.factory)\./.test(name)) return false;
        return others.every(({ labels }) => Object.hasOwn(labels, name) && labels[name] === value);
      })
      .sort(([a], [b]) => compareText(a, b)),
  );
}

function written({ annotations, ...rest }: Member): object {
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

/**
 * The images of all platforms as one: of a single platform what was pushed, as it is; else an index of their manifests, each
 * platform's by its name, and then of their attestations. The same images give the same bytes.
 * @returns why not, where a registry has something else than the records prove
 */
export function join(images: readonly ServedImage[]): Joined | { why: string } {
  const sorted = [...images].sort((a, b) => compareText(a.platform, b.platform));
  const parts: { image: Member; attestations: Member[]; from: ProvenImage["repository"] }[] = [];
  for (const one of sorted) {
    const part = partsOf(one);
    if ("why" in part) return part;
    parts.push({ ...part, from: one.repository });
  }
  const [only, ...more] = sorted;
  if (only && more.length === 0) {
    const { bytes, mediaType, digest } = only.served;
    return { bytes, mediaType, digest, members: [{ digest, from: only.repository }] };
  }
  const annotations = sharedLabels(sorted);
  const bytes = Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: INDEX_TYPE,
      manifests: [
        ...parts.map(({ image }) => written(image)),
        ...parts.flatMap(({ attestations }) => attestations.map(written)),
      ],
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    }),
  );
  const members = parts.flatMap(({ image, attestations, from }) =>
    [image, ...attestations].map(({ digest }) => ({ digest, from })),
  );
  return { bytes, mediaType: INDEX_TYPE, digest: sha256(bytes), members };
}
