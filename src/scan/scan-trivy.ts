import type { Exec } from "../tools/exec.ts";
import { runScanner } from "./run-scanner.ts";
import { findingOf, type ScannerAbout, type ScanOutcome } from "./scan-finding.ts";

interface TrivyVersion {
  Version?: unknown;
  VulnerabilityDB?: { UpdatedAt?: unknown } | null;
}

interface TrivyVulnerability {
  VulnerabilityID?: unknown;
  PkgName?: unknown;
  InstalledVersion?: unknown;
  FixedVersion?: unknown;
  Severity?: unknown;
  Title?: unknown;
  PrimaryURL?: unknown;
  PkgIdentifier?: { PURL?: unknown } | null;
}

interface TrivyReport {
  SchemaVersion?: unknown;
  Results?: ({ Vulnerabilities?: (TrivyVulnerability | null)[] | null } | null)[] | null;
}

/** What Trivy's report says, in its second form. @returns null if it is none */
export function readTrivy(report: unknown, about: ScannerAbout): ScanOutcome | null {
  const { SchemaVersion, Results } = (report ?? {}) as TrivyReport;
  // Without any result Trivy knew nothing in it, or looked at nothing: that is no clean image.
  if (SchemaVersion !== 2 || (Results !== undefined && Results !== null && !Array.isArray(Results)))
    return null;
  if (!Results || Results.length === 0)
    return { state: "not-scanned", scanner: about, reason: "trivy found nothing in it that it can judge" };
  const findings = Results.flatMap((result) =>
    (result?.Vulnerabilities ?? []).flatMap((one) => {
      const found = findingOf({
        id: one?.VulnerabilityID,
        severity: one?.Severity,
        package: one?.PkgName,
        version: one?.InstalledVersion,
        fixed: one?.FixedVersion,
        purl: one?.PkgIdentifier?.PURL,
        title: one?.Title,
        url: one?.PrimaryURL,
      });
      return found ? [found] : [];
    }),
  );
  return { state: "scanned", scanner: about, findings };
}

/** What `trivy version` says of itself. */
export function aboutTrivy(said: unknown): ScannerAbout {
  const { Version, VulnerabilityDB } = (said ?? {}) as TrivyVersion;
  const updated = VulnerabilityDB?.UpdatedAt;
  return {
    name: "trivy",
    version: typeof Version === "string" ? Version : "",
    database: typeof updated === "string" ? updated : null,
  };
}

/** Lets Trivy judge an SBOM, by the database that it has. @param sbom path of a CycloneDX document, in a folder of its own */
export async function scanWithTrivy(sbom: string, exec: Exec, signal?: AbortSignal): Promise<ScanOutcome> {
  const version = await runScanner(exec, "trivy", ["version", "--format", "json"], { signal });
  const about = aboutTrivy("json" in version ? version.json : null);
  const file = `${sbom}.trivy.json`;
  const argv = [
    "sbom",
    "--quiet",
    "--format",
    "json",
    "--output",
    file,
    "--exit-code",
    "0",
    "--scanners",
    "vuln",
  ];
  const offline = ["--skip-db-update", "--skip-java-db-update", "--offline-scan"];
  const ran = await runScanner(exec, "trivy", [...argv, ...offline, sbom], { file, signal });
  if ("reason" in ran) return { state: "not-scanned", scanner: about, reason: ran.reason };
  return (
    readTrivy(ran.json, about) ?? {
      state: "not-scanned",
      scanner: about,
      reason: "trivy wrote no report of its second form",
    }
  );
}
