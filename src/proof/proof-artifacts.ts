import { canonicalJson } from "../model/digest.ts";
import type { WholeRecord } from "../records/travel.ts";
import {
  type ArtifactSubject,
  EMPTY_DESCRIPTOR,
  MANIFEST_TYPE,
  recordManifest,
} from "../records/remote/record-artifact.ts";

/** Evidence that is attached to an image by itself, as the kinds of artifacts that scanners look for. */
const KINDS = {
  sbom: { artifactType: "application/vnd.cyclonedx+json", annotations: {} },
  provenance: {
    artifactType: "application/vnd.in-toto+json",
    annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
  },
} as const;

/**
 * The manifests of what proves an image, which refer to it: its record with all evidence, and the SBOM and the provenance by
 * themselves. The same record gives the same bytes.
 */
export function proofManifests({ record, text }: WholeRecord, subject: ArtifactSubject): Buffer[] {
  return [
    recordManifest(record, text, subject),
    ...Object.entries(KINDS).flatMap(([kind, { artifactType, annotations }]) => {
      const piece = record.evidence[kind];
      if (!piece) return [];
      const layer = { mediaType: artifactType, digest: `sha256:${piece.sha256}`, size: piece.bytes };
      return Buffer.from(
        canonicalJson({
          schemaVersion: 2,
          mediaType: MANIFEST_TYPE,
          artifactType,
          config: EMPTY_DESCRIPTOR,
          layers: [{ ...layer, annotations: { "org.opencontainers.image.title": `${kind}.json` } }],
          subject,
          annotations: {
            ...annotations,
            "io.factory.record-id": record.record_id,
            "io.factory.platform": record.platform,
          },
        }),
      );
    }),
  ];
}
