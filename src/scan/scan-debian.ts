import { compareDebian } from "../model/debian-version.ts";
import { type DebianDeps, debianIndex } from "./debian-index.ts";
import type { ScanFinding, ScanOutcome } from "./scan-finding.ts";

interface Component {
  name?: unknown;
  version?: unknown;
  purl?: unknown;
  type?: unknown;
}

interface Bom {
  components?: (Component | null)[];
}

/** A Debian package in an image. */
interface Installed {
  name: string;
  version: string;
  purl: string;
}

/** The Debian packages of an SBOM, and the release that they are of. */
function debianPackages(bom: unknown): { release: string | null; packages: Installed[] } {
  const { components } = (bom ?? {}) as Bom;
  const packages: Installed[] = [];
  const releases = new Map<string, number>();
  for (const one of Array.isArray(components) ? components : []) {
    const purl = typeof one?.purl === "string" ? one.purl : "";
    const [, name, version] = /^pkg:deb\/debian\/([^@?]+)@([^?]+)/.exec(purl) ?? [];
    if (name === undefined || version === undefined) continue;
    packages.push({ name: decodeURIComponent(name), version: decodeURIComponent(version), purl });
    const distro = /[?&]distro=([^&]+)/.exec(purl)?.[1];
    if (distro !== undefined) releases.set(distro, (releases.get(distro) ?? 0) + 1);
  }
  const [most] = [...releases].sort((a, b) => b[1] - a[1]);
  return { release: most === undefined ? null : releaseName(most[0]), packages };
}

/** Debian's releases that get security updates, by number. */
const RELEASES: Readonly<Record<string, string>> = {
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
  "14": "forky",
};

/** `debian-12` and `debian-12.5` are bookworm; a name is itself. */
function releaseName(distro: string): string | null {
  const text = decodeURIComponent(distro);
  const [, number] = /^debian-(\d+)(?:\.\d+)?$/.exec(text) ?? [];
  if (number !== undefined) return RELEASES[number] ?? null;
  return /^[a-z]+$/.test(text) ? text : null;
}

/** Debian's security updates that an image does not have yet: what needs no database of vulnerabilities. */
export async function scanWithDebian(bom: unknown, platform: string, deps: DebianDeps): Promise<ScanOutcome> {
  const no = (reason: string): ScanOutcome => ({ state: "not-scanned", scanner: null, reason });
  const { release, packages } = debianPackages(bom);
  if (packages.length === 0) return no("the SBOM lists no package of Debian");
  if (release === null)
    return no("the SBOM does not say which release of Debian it is, or that gets no security updates");
  const architecture = ARCHITECTURES[platform.replace(/^linux\//, "")];
  if (architecture === undefined) return no(`Debian has no architecture for ${platform}`);
  const index = await debianIndex(release, architecture, deps);
  if ("reason" in index) return no(index.reason);
  const findings = packages.flatMap(({ name, version, purl }): ScanFinding[] => {
    const newest = index.versions.get(name);
    if (newest === undefined || compareDebian(version, newest) >= 0) return [];
    const id = `debian-security:${name}`;
    const title = `Debian has a security update of ${name}: ${newest}`;
    const url = `https://tracker.debian.org/pkg/${encodeURIComponent(name)}`;
    return [
      { id, kind: "update", severity: "unknown", package: name, version, fixed: newest, purl, title, url },
    ];
  });
  return { state: "scanned", scanner: { name: "debian", version: release, database: index.made }, findings };
}

/** Debian's names of architectures, by the platform's. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: "amd64",
  arm64: "arm64",
  "arm64/v8": "arm64",
  "arm/v7": "armhf",
  "arm/v6": "armel",
  "386": "i386",
  ppc64le: "ppc64el",
  s390x: "s390x",
  riscv64: "riscv64",
};
