import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import type { Exec } from "../tools/exec.ts";
import type { DebianDeps } from "./debian-index.ts";
import { scanWithDebian } from "./scan-debian.ts";
import { type ScanOutcome, sorted } from "./scan-finding.ts";
import { scanWithGrype } from "./scan-grype.ts";
import { scanWithTrivy } from "./scan-trivy.ts";

export type Scanner = "trivy" | "grype" | "debian";

export interface ScanDeps extends Omit<DebianDeps, "signal"> {
  exec: Exec;
  signal?: AbortSignal;
}

/**
 * Has an SBOM judged by one scanner: the one that is named, else Trivy or Grype, whichever is there, else by Debian's security
 * updates alone.
 * @param sbom a CycloneDX document
 * @param platform of the image
 * @throws FactoryError INTERRUPTED
 */
export async function scanSbom(
  sbom: Uint8Array,
  platform: string,
  scanner: Scanner | undefined,
  deps: ScanDeps,
): Promise<ScanOutcome> {
  const { exec, signal } = deps;
  const isThere = async (program: string): Promise<boolean> =>
    exec(program, ["version"], { signal, timeoutMs: 60_000 }).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  const chosen =
    scanner ?? ((await isThere("trivy")) ? "trivy" : (await isThere("grype")) ? "grype" : "debian");
  if (chosen === "debian")
    return ordered(await scanWithDebian(JSON.parse(Buffer.from(sbom).toString("utf8")), platform, deps));
  const folder = makeFolderIn(tmpdir(), "factory-scan-");
  try {
    const file = join(folder, "sbom.cdx.json");
    writeWhole(file, sbom, false);
    return ordered(await (chosen === "trivy" ? scanWithTrivy : scanWithGrype)(file, exec, signal));
  } finally {
    removeTree(folder);
  }
}

const ordered = (outcome: ScanOutcome): ScanOutcome =>
  outcome.state === "scanned" ? { ...outcome, findings: sorted(outcome.findings) } : outcome;
