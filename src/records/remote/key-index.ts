import { canonicalJson } from "../../model/digest.ts";
import { isDigest } from "../../model/image-reference.ts";
import { compareText } from "../../model/compare.ts";
import type { Descriptor } from "./record-artifact.ts";
import { MANIFEST_TYPE, RECORD_ARTIFACT } from "./record-artifact.ts";

/*
 * The records with one key, as an OCI index behind a tag that is named after the key. Registries have no way to change a tag
 * only if nobody else did: what a writer adds can be lost to another one. So each writer reads its entry back after a moment,
 * and adds it again if it is gone. The records themselves are never lost that way: each has a tag of its own.
 */

export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** The newest records that an index names: older ones decide nothing. */
const MOST = 50;

const RECORD_ID = "io.factory.record-id";

/** A record in an index. */
export interface IndexEntry extends Descriptor {
  record_id: string;
}

/** The tag of a record's own artifact. */
export const recordTag = (recordId: string): string => `r-${recordId}`;

/** The record that a tag is of; null if it is another one. */
export const recordOfTag = (tag: string): string | null =>
  /^r-(\d{8}t\d{9}z-[a-f0-9]{16})$/.exec(tag)?.[1] ?? null;

/** The tag for the records with a key. @param key `sha256:` and 64 hex digits */
export function keyTag(kind: "verdict" | "build", key: string): string {
  return `${kind === "verdict" ? "v" : "b"}-${key.slice("sha256:".length)}`;
}

/** The bytes of an index. The same entries give the same bytes. */
export function writeIndex(entries: readonly IndexEntry[]): Buffer {
  const newest = [...entries].sort((a, b) => compareText(b.record_id, a.record_id)).slice(0, MOST);
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: INDEX_TYPE,
      manifests: newest.map(({ digest, size, record_id }) => ({
        mediaType: MANIFEST_TYPE,
        artifactType: RECORD_ARTIFACT,
        digest,
        size,
        annotations: { [RECORD_ID]: record_id },
      })),
    }),
  );
}

/** The entries of an index, newest first. What is not an entry is passed over: it names no record. */
export function readIndex(bytes: Uint8Array): IndexEntry[] {
  let index: { manifests?: unknown } | null;
  try {
    index = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof index;
  } catch {
    return [];
  }
  const manifests = Array.isArray(index?.manifests) ? (index.manifests as unknown[]) : [];
  return manifests
    .flatMap((one): IndexEntry[] => {
      const { digest, size, annotations } = (one ?? {}) as Record<string, unknown>;
      const id = ((annotations ?? {}) as Record<string, unknown>)[RECORD_ID];
      if (typeof digest !== "string" || !isDigest(digest) || typeof size !== "number") return [];
      return typeof id === "string" && recordOfTag(recordTag(id)) !== null
        ? [{ digest, size, record_id: id }]
        : [];
    })
    .sort((a, b) => compareText(b.record_id, a.record_id))
    .slice(0, MOST);
}

/** Entries of both, each once. */
export function merged(before: readonly IndexEntry[], more: readonly IndexEntry[]): IndexEntry[] {
  return [...new Map([...before, ...more].map((one) => [`${one.record_id} ${one.digest}`, one])).values()];
}
