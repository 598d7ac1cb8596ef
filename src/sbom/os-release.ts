import type { Interest } from "./cataloger.ts";
import type { ImageFiles } from "./image-files.ts";
import type { OperatingSystem } from "./package.ts";
import type { ImagePath } from "./paths.ts";

const RELEASES: readonly ImagePath[] = ["etc/os-release", "usr/lib/os-release"];
const DEBIAN_VERSION: ImagePath = "etc/debian_version";
const INTEREST: Interest = { limit: 64 << 10, beyond: "fail" };

const LINE = /^([A-Z][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|(.*))$/;

/** What is kept of the files that name the operating system. */
export function releaseInterest(path: ImagePath): Interest | null {
  return RELEASES.includes(path) || path === DEBIAN_VERSION ? INTEREST : null;
}

/** The variables of an os-release file (os-release(5)). Lines that are not assignments are ignored. */
export function parseOsRelease(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, double, single, bare] = LINE.exec(line.trim()) ?? [];
    if (name !== undefined)
      variables.set(name, double?.replace(/\\(.)/g, "$1") ?? single ?? bare?.trim() ?? "");
  }
  return variables;
}

/**
 * The version with the point release: Debian's os-release says `12`, its /etc/debian_version `12.9`. Derivatives keep that
 * file from the Debian that they are based on, so it only counts for Debian.
 */
function versionOf(id: string, version: string, debian: string): string {
  const point = /^\d+\.\d+$/.test(debian) && debian.startsWith(`${version}.`);
  return id === "debian" && point ? debian : version;
}

/** The operating system of an image; null if nothing names it. */
export function readOperatingSystem(files: ImageFiles): OperatingSystem | null {
  for (const path of RELEASES) {
    const bytes = files.read(path);
    if (!bytes) continue;
    const variables = parseOsRelease(bytes.toString("utf8"));
    const id = variables.get("ID") ?? "";
    if (id === "") continue;
    const debian = files.read(DEBIAN_VERSION)?.toString("utf8").trim() ?? "";
    const named = variables.get("VERSION_ID") ?? variables.get("VERSION_CODENAME") ?? "";
    const version = versionOf(id, named, debian);
    const title = variables.get("PRETTY_NAME") ?? variables.get("NAME") ?? id;
    return { id, version, title, distro: version === "" ? "" : `${id}-${version}` };
  }
  return null;
}
