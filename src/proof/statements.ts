import { canonicalJson, sha256Hex } from "../model/digest.ts";
import type { RepositoryName } from "../model/image-reference.ts";
import type { WholeRecord } from "../records/travel.ts";

/** What statements about an image can be of. */
export const PREDICATES = {
  /** A record: `{sha256, record}`, where `sha256` is that of its file. */
  record: "urn:io.factory:record:2",
  /** As `cosign verify-attestation --type cyclonedx` looks for it. */
  sbom: "https://cyclonedx.org/bom",
  /** As `cosign verify-attestation --type slsaprovenance1` looks for it. */
  provenance: "https://slsa.dev/provenance/v1",
  /** That the image is signed at all, as `cosign verify` looks for it. */
  image: "https://sigstore.dev/cosign/sign/v1",
} as const;

/** A statement that is to be signed, as bytes, and what it is of. */
export interface ToSign {
  predicateType: string;
  bytes: Buffer;
  /** null for the image by itself. */
  record_id: string | null;
}

/** The predicate of a record's statement. */
export interface RecordPredicate {
  sha256: string;
  record: WholeRecord["record"];
}

/** A statement about an image, as bytes. The same gives the same bytes. */
export function fileStatement(
  name: RepositoryName,
  digests: readonly string[],
  predicateType: string,
  predicate: unknown,
): Buffer {
  return Buffer.from(
    canonicalJson({
      _type: "https://in-toto.io/Statement/v1",
      subject: digests.map((digest) => ({
        name: `${name.host}/${name.repository}`,
        digest: { sha256: digest.slice("sha256:".length) },
      })),
      predicateType,
      predicate,
    }),
  );
}

/** The statement that an image is what its signer means by it. @param digests of the image, and of its platforms' manifests */
export function imageStatement(name: RepositoryName, digests: readonly string[]): ToSign {
  const predicateType = PREDICATES.image;
  return { predicateType, bytes: fileStatement(name, digests, predicateType, {}), record_id: null };
}

/**
 * The statements that a record of an image, its SBOM and its provenance are about that image. The same gives the same bytes.
 * @param digests what the statements are about: the manifest of the record's platform, and the index that it is in
 */
export function recordStatements(
  name: RepositoryName,
  digests: readonly string[],
  { record, text, evidence }: WholeRecord,
): ToSign[] {
  const { record_id } = record;
  const { sbom, provenance } = record.evidence;
  const made = (predicateType: string, predicate: unknown): ToSign => ({
    predicateType,
    bytes: fileStatement(name, digests, predicateType, predicate),
    record_id,
  });
  const json = (piece: NonNullable<typeof sbom>): unknown => JSON.parse(evidence(piece).toString("utf8"));
  const own: RecordPredicate = { sha256: sha256Hex(text), record };
  return [
    made(PREDICATES.record, own),
    ...(sbom ? [made(PREDICATES.sbom, json(sbom))] : []),
    ...(provenance
      ? [made(PREDICATES.provenance, (json(provenance) as { predicate?: unknown } | null)?.predicate ?? {})]
      : []),
  ];
}
