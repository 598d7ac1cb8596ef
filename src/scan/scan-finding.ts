/** How bad a vulnerability is, the worst first. What a scanner does not rate is `unknown`. */
export const SEVERITIES = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing that a scanner found in an image. */
export interface ScanFinding {
  /** `CVE-2026-1234`, or `debian-security:PACKAGE` for a pending update of that. */
  id: string;
  /** A pending security update has no severity of its own. */
  kind: "vulnerability" | "update";
  severity: Severity;
  package: string;
  version: string;
  /** The version that has it no more; null if there is none. */
  fixed: string | null;
  purl: string | null;
  title: string;
  url: string | null;
}

/** What looked, and with which knowledge. */
export interface ScannerAbout {
  name: "trivy" | "grype" | "debian";
  version: string;
  /** When its database was made: ISO 8601; null if it does not say. */
  database: string | null;
}

/** What a scanner says about an image; a reason where it cannot say anything. */
export type ScanOutcome =
  | { state: "scanned"; scanner: ScannerAbout; findings: ScanFinding[] }
  | { state: "not-scanned"; scanner: ScannerAbout | null; reason: string };

/** Texts of others in a report: one line, and no longer than this. */
const LONGEST = 300;

const text = (value: unknown): string => {
  const plain = typeof value === "string" ? value.replace(/\s+/g, " ").trim() : "";
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
};

/** A severity as any scanner writes it. */
function severityOf(value: unknown): Severity {
  const said = typeof value === "string" ? value.toLowerCase() : "";
  return SEVERITIES.find((one) => one === said) ?? "unknown";
}

/** A finding from what a scanner says, each field checked; null for what has no id or no package. */
export function findingOf(said: {
  id: unknown;
  severity: unknown;
  package: unknown;
  version: unknown;
  fixed: unknown;
  purl: unknown;
  title: unknown;
  url: unknown;
}): ScanFinding | null {
  const [id, name] = [text(said.id), text(said.package)];
  if (id === "" || name === "") return null;
  const url = text(said.url);
  return {
    id,
    kind: "vulnerability",
    severity: severityOf(said.severity),
    package: name,
    version: text(said.version),
    fixed: text(said.fixed) === "" ? null : text(said.fixed),
    purl: text(said.purl) === "" ? null : text(said.purl),
    title: text(said.title),
    url: /^https?:\/\/[!-~]+$/.test(url) ? url : null,
  };
}

/** Findings without doubles, in one order: the worst first, then by id and package. */
export function sorted(findings: readonly ScanFinding[]): ScanFinding[] {
  const key = ({ severity, id, package: name, version }: ScanFinding) =>
    `${SEVERITIES.indexOf(severity)} ${id} ${name} ${version}`;
  const unique = new Map(findings.map((one) => [key(one), one]));
  return [...unique.keys()].sort().flatMap((one) => unique.get(one) ?? []);
}
