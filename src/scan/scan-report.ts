import { canonicalJson, sha256Hex } from "../model/digest.ts";
import { type ScanFinding, type ScanOutcome, SEVERITIES } from "./scan-finding.ts";

/** What a scanner said about an image, once. */
export interface ScanReport {
  schema_version: 1;
  /** ISO 8601. */
  scanned_at: string;
  subject: {
    /** Of the platform's manifest. */
    manifest_digest: string;
    platform: string;
    record_id: string;
    /** Of the SBOM that was judged. */
    sbom_sha256: string;
  };
  outcome: ScanOutcome;
}

/** The bytes of a report's file. */
export function reportText(report: ScanReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** The name of a report: when it was made, and the hash of what it says. */
export function reportId(report: ScanReport): string {
  const stamp = report.scanned_at.replace(/[-:.]/g, "").toLowerCase();
  return `${stamp}-${sha256Hex(canonicalJson(report)).slice(0, 16)}`;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

function isFinding(value: unknown): value is ScanFinding {
  const {
    id,
    kind,
    severity,
    package: name,
    version,
    fixed,
    purl,
    title,
    url,
  } = (value ?? {}) as ScanFinding;
  return (
    [id, name, version, title].every(isText) &&
    [fixed, purl, url].every(isTextOrNull) &&
    ["vulnerability", "update"].includes(kind) &&
    SEVERITIES.includes(severity)
  );
}

function isOutcome(value: unknown): value is ScanOutcome {
  const { state, scanner, findings, reason } = (value ?? {}) as {
    state?: unknown;
    scanner?: { name?: unknown; version?: unknown; database?: unknown } | null;
    findings?: unknown;
    reason?: unknown;
  };
  const isAbout =
    scanner !== null && isText(scanner?.name) && isText(scanner.version) && isTextOrNull(scanner.database);
  if (state === "not-scanned") return isText(reason) && (scanner === null || isAbout);
  return state === "scanned" && isAbout && Array.isArray(findings) && findings.every(isFinding);
}

/** Reads a report. @returns why it is none */
export function readReport(bytes: Uint8Array): ScanReport | { why: string } {
  let value: Partial<ScanReport> | null;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<ScanReport> | null;
  } catch {
    return { why: "it is not JSON" };
  }
  const { schema_version, scanned_at, subject, outcome } = value ?? {};
  const { manifest_digest, platform, record_id, sbom_sha256 } = (subject ?? {}) as Partial<
    ScanReport["subject"]
  >;
  const isWhole =
    schema_version === 1 &&
    isText(scanned_at) &&
    [manifest_digest, platform, record_id, sbom_sha256].every(isText) &&
    isOutcome(outcome);
  return isWhole ? (value as ScanReport) : { why: "it is not a report of a scan" };
}
