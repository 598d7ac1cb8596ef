import { canonicalJson, sha256 } from "../model/digest.ts";
import { type ArtifactSubject, EMPTY_DESCRIPTOR, MANIFEST_TYPE } from "../records/remote/record-artifact.ts";
import type { ToSign } from "./statements.ts";

/** A signature and what it signs, in one document, as cosign reads and writes it. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const PREDICATE_TYPE = "dev.sigstore.bundle.predicateType";
const RECORD_ID = "io.factory.record-id";

/** The largest bundle that is read, in bytes: the SBOM of a large image is in it. */
export const MOST_BUNDLE = 192 << 20;

/** The manifest by which a bundle is attached to an image, so that cosign finds it. */
export function bundleManifest(
  bundle: Uint8Array,
  { predicateType, record_id }: Omit<ToSign, "bytes">,
  subject: ArtifactSubject,
): Buffer {
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: BUNDLE_TYPE,
      config: EMPTY_DESCRIPTOR,
      layers: [{ mediaType: BUNDLE_TYPE, digest: sha256(bundle), size: bundle.length }],
      subject,
      annotations: {
        "dev.sigstore.bundle.content": "dsse-envelope",
        [PREDICATE_TYPE]: predicateType,
        ...(record_id !== null && { [RECORD_ID]: record_id }),
      },
    }),
  );
}

/** Whether the list of an image's referrers may mean a bundle of this kind: it need not say what a manifest is. */
export function mayBeBundle(
  annotations: Readonly<Record<string, string>>,
  { predicateType, record_id }: { predicateType: string; record_id?: string | null },
): boolean {
  const { [PREDICATE_TYPE]: type = predicateType, [RECORD_ID]: id = record_id } = annotations;
  return type === predicateType && (record_id === undefined || record_id === null || id === record_id);
}

/** The one layer of a bundle's manifest; null for a manifest of another kind. */
export function bundleLayer(manifest: Uint8Array): { digest: string; size: number } | null {
  try {
    const { layers } = JSON.parse(Buffer.from(manifest).toString("utf8")) as { layers?: unknown };
    const [layer, ...more] = Array.isArray(layers) ? (layers as unknown[]) : [];
    const { mediaType, digest, size } = (layer ?? {}) as Record<string, unknown>;
    if (more.length > 0 || mediaType !== BUNDLE_TYPE) return null;
    return typeof digest === "string" && typeof size === "number" ? { digest, size } : null;
  } catch {
    return null;
  }
}

/** The bytes that a bundle signs; null if it is none of an in-toto statement. */
export function payloadOf(bundle: Uint8Array): Buffer | null {
  try {
    const { dsseEnvelope } = JSON.parse(Buffer.from(bundle).toString("utf8")) as {
      dsseEnvelope?: { payload?: unknown; payloadType?: unknown };
    };
    const { payload, payloadType } = dsseEnvelope ?? {};
    if (payloadType !== "application/vnd.in-toto+json" || typeof payload !== "string") return null;
    return Buffer.from(payload, "base64");
  } catch {
    return null;
  }
}
