import { buffer } from "node:stream/consumers";
import { canonicalJson, sha256, sha256Hex } from "../model/digest.ts";
import { attached, type AttachProofDeps } from "../proof/attach-deps.ts";
import type { ImageAt } from "../proof/attach-proof.ts";
import { bundleManifest } from "../proof/bundles.ts";
import { fileStatement } from "../proof/statements.ts";
import { attachedTo, type ReadDeps, usable } from "../proof/read-bundles.ts";
import { type SignedStatements } from "../proof/signed-statements.ts";
import {
  type ArtifactSubject,
  EMPTY_CONFIG,
  EMPTY_DESCRIPTOR,
  MANIFEST_TYPE,
} from "../records/remote/record-artifact.ts";
import { readReport, type ScanReport } from "./scan-report.ts";

/** A scan's report, attached to the image that it is about. */
const SCAN_ARTIFACT = "application/vnd.factory.scan.v1+json";

/** What a signed statement about a scan is of: `{sha256, report}`. */
export const SCAN_PREDICATE = "urn:io.factory:scan:1";

/** The largest report, and how many are read of one image. */
const MOST_REPORT = 64 << 20;
const MOST = 50;

/** The manifest by which a report is attached to an image. */
function scanManifest(text: Uint8Array, { scanned_at }: ScanReport, subject: ArtifactSubject): Buffer {
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: SCAN_ARTIFACT,
      config: EMPTY_DESCRIPTOR,
      layers: [
        {
          mediaType: SCAN_ARTIFACT,
          digest: sha256(text),
          size: text.length,
          annotations: { "org.opencontainers.image.title": "scan.json" },
        },
      ],
      subject,
      annotations: { "org.opencontainers.image.created": scanned_at },
    }),
  );
}

/**
 * The reports that are attached to the manifest of a platform and are about it, newest first.
 * @param signed what is known of signatures; null if none is asked for
 */
export async function attachedReports(
  deps: ReadDeps,
  digest: string,
  signed: SignedStatements | null,
): Promise<ScanReport[]> {
  const { client, again, signal } = deps;
  const listed = await attachedTo(deps, digest);
  const reports: ScanReport[] = [];
  for (const one of listed
    .filter(({ artifactType }) => artifactType === SCAN_ARTIFACT || artifactType.includes("empty"))
    .slice(-MOST)) {
    const manifest = await usable(again(() => client.manifest(one.digest, { signal })));
    const layer = manifest && layerOf(manifest.bytes);
    if (!layer || layer.size > MOST_REPORT) continue;
    const text = await usable(again(() => buffer(client.blob(layer, { most: MOST_REPORT, signal }))));
    if (!text || (signed && !signed.records.has(sha256Hex(text)))) continue;
    const report = readReport(text);
    if (!("why" in report) && report.subject.manifest_digest === digest) reports.push(report);
  }
  return reports.sort((a, b) => (a.scanned_at < b.scanned_at ? 1 : -1));
}

function layerOf(manifest: Uint8Array): { digest: string; size: number } | null {
  try {
    const { artifactType, layers } = JSON.parse(Buffer.from(manifest).toString("utf8")) as {
      artifactType?: unknown;
      layers?: ({ digest?: unknown; size?: unknown } | null)[];
    };
    const { digest, size } = layers?.[0] ?? {};
    if (artifactType !== SCAN_ARTIFACT) return null;
    return typeof digest === "string" && typeof size === "number" ? { digest, size } : null;
  } catch {
    return null;
  }
}

/**
 * Attaches a report to the image that it is about, and signs it if it is said with what.
 * @returns how many artifacts are new; null if the image is not there
 * @throws FactoryError SIGNING_FAILED, TOOL_MISSING, REGISTRY_*, REMOTE_BUSY
 */
export async function attachReport(
  { digest, ...name }: ImageAt,
  { report, text }: { report: ScanReport; text: Buffer },
  { repository, again, attach, signer, signal }: AttachProofDeps,
): Promise<number | null> {
  const client = repository(name);
  const options = { signal };
  if ((await again(() => client.headManifest(digest, options))) === null) return null;
  const { mediaType, bytes } = await again(() => client.manifest(digest, options));
  const subject = { mediaType, digest, size: bytes.length };
  await again(() => client.putBlob(EMPTY_DESCRIPTOR, EMPTY_CONFIG, options));
  const put = (blob: Uint8Array) =>
    again(() => client.putBlob({ digest: sha256(blob), size: blob.length }, blob, options));
  await put(text);
  const manifests = [scanManifest(text, report, subject)];
  if (signer) {
    const sha = sha256Hex(text);
    const statement = fileStatement(name, [digest], SCAN_PREDICATE, { sha256: sha, report });
    const bundle = await signer.sign(statement);
    await put(bundle);
    manifests.push(bundleManifest(bundle, { predicateType: SCAN_PREDICATE, record_id: null }, subject));
  }
  return attach(client, digest, attached(manifests));
}
