import { evidenceOf } from "../evidence.ts";
import { canonicalJson, sha256 } from "../../model/digest.ts";
import { FactoryError } from "../../errors.ts";
import { quoted } from "../../model/visible.ts";
import type { Evidence, FactoryRecord } from "../../schemas/types.ts";

/** The kinds of a record's artifact and of its first layer, which is the record's file. */
export const RECORD_ARTIFACT = "application/vnd.factory.record.v2";
const RECORD_TYPE = "application/vnd.factory.record.v2+json";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The config of an artifact that has none, as the OCI image specification names it. */
export const EMPTY_CONFIG = Buffer.from("{}");
export const EMPTY_DESCRIPTOR = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: sha256(EMPTY_CONFIG),
  size: EMPTY_CONFIG.length,
};

const TITLE = "org.opencontainers.image.title";

/** A blob of an artifact. */
export interface Descriptor {
  digest: string;
  size: number;
}

/** The manifest that an artifact is about. */
export interface ArtifactSubject extends Descriptor {
  mediaType: string;
}

/** What a record's artifact is made of. */
export interface RecordParts {
  record: Descriptor;
  /** In no order. */
  evidence: Descriptor[];
}

/**
 * The manifest of a record's artifact. The same record gives the same bytes.
 * @param text the bytes of its file
 * @param subject the image that it is attached to; under its own tag it has none
 */
export function recordManifest(record: FactoryRecord, text: Uint8Array, subject?: ArtifactSubject): Buffer {
  const kinds = new Map<string, string[]>();
  for (const [kind, piece] of Object.entries(record.evidence) as [string, Evidence | undefined][])
    if (piece) kinds.set(piece.sha256, [...(kinds.get(piece.sha256) ?? []), kind].sort());
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: RECORD_ARTIFACT,
      config: EMPTY_DESCRIPTOR,
      layers: [
        {
          mediaType: RECORD_TYPE,
          digest: sha256(text),
          size: text.length,
          annotations: { [TITLE]: `${record.record_id}.json` },
        },
        ...evidenceOf(record).map((piece) => ({
          mediaType: piece.media_type,
          digest: `sha256:${piece.sha256}`,
          size: piece.bytes,
          annotations: { [TITLE]: (kinds.get(piece.sha256) ?? []).join("+") },
        })),
      ],
      ...(subject && { subject }),
      annotations: {
        "io.factory.record-id": record.record_id,
        "io.factory.manifest-id": record.manifest_id,
        "io.factory.cell-id": record.cell_id,
        "io.factory.status": record.result.status,
        "io.factory.verdict-key": record.verdict_key,
      },
    }),
  );
}

interface Loose {
  mediaType?: unknown;
  digest?: unknown;
  size?: unknown;
}

function isDescriptor(value: Loose | null): value is { mediaType: string; digest: string; size: number } {
  return (
    typeof value?.mediaType === "string" && typeof value.digest === "string" && typeof value.size === "number"
  );
}

/** What a manifest says that its artifact is made of. @throws FactoryError REMOTE_CONTENT if it is no record's */
export function readRecordManifest(bytes: Uint8Array, what: string): RecordParts {
  const refuse = (why: string) =>
    new FactoryError("REMOTE_CONTENT", `${quoted(what)} of the remote is no record: ${why}`, {
      fix: "nothing of it was used; see who else writes to that repository",
    });
  let manifest: { artifactType?: unknown; layers?: unknown } | null;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof manifest;
  } catch {
    throw refuse("its manifest is not JSON");
  }
  if (manifest?.artifactType !== RECORD_ARTIFACT) throw refuse(`its type is not ${RECORD_ARTIFACT}`);
  const layers = Array.isArray(manifest.layers) ? (manifest.layers as (Loose | null)[]) : [];
  const all = layers.filter(isDescriptor);
  const [record, ...evidence] = all;
  if (all.length !== layers.length || record?.mediaType !== RECORD_TYPE || all.length > 100)
    throw refuse("its layers are not a record and its evidence");
  return { record, evidence };
}
