import type { Exec } from "../tools/exec.ts";
import { runScanner } from "./run-scanner.ts";
import { findingOf, type ScannerAbout, type ScanOutcome } from "./scan-finding.ts";

interface GrypeMatch {
  vulnerability?: {
    id?: unknown;
    severity?: unknown;
    dataSource?: unknown;
    description?: unknown;
    fix?: { versions?: unknown } | null;
  } | null;
  artifact?: { name?: unknown; version?: unknown; purl?: unknown } | null;
}

interface GrypeReport {
  matches?: (GrypeMatch | null)[];
  descriptor?: {
    name?: unknown;
    version?: unknown;
    db?: { built?: unknown; status?: { built?: unknown } | null } | null;
  } | null;
}

/** What Grype's report says. @returns null if it is none */
export function readGrype(report: unknown): ScanOutcome | null {
  const { matches, descriptor } = (report ?? {}) as GrypeReport;
  if (!Array.isArray(matches) || descriptor?.name !== "grype") return null;
  const built = descriptor.db?.status?.built ?? descriptor.db?.built;
  const scanner: ScannerAbout = {
    name: "grype",
    version: typeof descriptor.version === "string" ? descriptor.version : "",
    database: typeof built === "string" ? built : null,
  };
  const findings = matches.flatMap((match) => {
    const versions = match?.vulnerability?.fix?.versions;
    const found = findingOf({
      id: match?.vulnerability?.id,
      severity: match?.vulnerability?.severity,
      package: match?.artifact?.name,
      version: match?.artifact?.version,
      fixed: Array.isArray(versions) ? versions[0] : null,
      purl: match?.artifact?.purl,
      title: match?.vulnerability?.description,
      url: match?.vulnerability?.dataSource,
    });
    return found ? [found] : [];
  });
  return { state: "scanned", scanner, findings };
}

/** Lets Grype judge an SBOM, by the database that it has. @param sbom path of a CycloneDX document, in a folder of its own */
export async function scanWithGrype(sbom: string, exec: Exec, signal?: AbortSignal): Promise<ScanOutcome> {
  const env = { GRYPE_DB_AUTO_UPDATE: "false", GRYPE_CHECK_FOR_APP_UPDATE: "false" };
  const file = `${sbom}.grype.json`;
  const argv = [`sbom:${sbom}`, "--output", "json", "--file", file, "--quiet"];
  const ran = await runScanner(exec, "grype", argv, { file, signal, env });
  if ("reason" in ran) return { state: "not-scanned", scanner: null, reason: ran.reason };
  return (
    readGrype(ran.json) ?? {
      state: "not-scanned",
      scanner: null,
      reason: "grype wrote no report that is known",
    }
  );
}
