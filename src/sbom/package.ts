import { PackageURL } from "packageurl-js";

/** One installed package, as its own database describes it. */
export interface Package {
  /** Its package URL: the same for the same package, wherever in the image it is. */
  purl: string;
  /** For scanners that match by product (CPE 2.3); only if the vendor is certain. */
  cpe?: string;
  group?: string;
  name: string;
  /** Empty if it is not known. */
  version: string;
  /** Licences that its metadata declares; null if it does not say exactly which. */
  license: DeclaredLicense | null;
  supplier?: Contact;
  author?: string;
  /** SHA-1 of the package's archive, in hex: as its metadata says, or of the archive that lies in the image. */
  sha1?: string;
  /** SHA-256 of the package's archive, in hex; only if its metadata has it. */
  sha256?: string;
  /** SHA-512 of the package's archive, in hex; only if the package's own metadata has it. */
  sha512?: string;
  /** Whether nothing else that is installed needs it. */
  optional?: boolean;
  /** Absolute paths in the image that show the package. */
  paths: string[];
  /** Further facts, by a short name. */
  facts: Record<string, string>;
  /** The purls of the installed packages that it needs. */
  needs: string[];
}

/** What a package's metadata says about its licence: an SPDX expression, or several licences by SPDX id or by name. */
export type DeclaredLicense = { expression: string } | { each: readonly License[] };
export type License = { id: string } | { name: string };

export interface Contact {
  name: string;
  email?: string;
}

/** The operating system that /etc/os-release names. */
export interface OperatingSystem {
  /** `debian`; empty if the image does not say. */
  id: string;
  /** With the point release if the image has it: `12.9`. */
  version: string;
  title: string;
  /** `debian-12.9`: as purls name it. */
  distro: string;
}

/**
 * The package URL, or null if a part of it is not allowed. `:` and `+` in a version are escaped: both forms are allowed and
 * mean the same, and this is the one that syft and grype write and compare.
 */
export function purlOf(
  type: string,
  parts: { group?: string; name: string; version?: string; qualifiers?: Record<string, string> },
): string | null {
  const qualifiers = Object.entries(parts.qualifiers ?? {}).filter(([, value]) => value !== "");
  try {
    const text = new PackageURL(
      type,
      parts.group || undefined,
      parts.name,
      parts.version || undefined,
      qualifiers.length > 0 ? Object.fromEntries(qualifiers) : undefined,
      undefined,
    ).toString();
    return text.replace(/@[^?]*/, (version) => version.replaceAll(":", "%3A").replaceAll("+", "%2B"));
  } catch {
    return null;
  }
}

/** What a package needs: each once, and never itself. @param own its purl @param keys purls */
export function needsOf(own: string, keys: Iterable<string>): string[] {
  return [...new Set(keys)].filter((key) => key !== own);
}

/** RFC 5321: a longer text cannot be an address. */
const LONGEST_ADDRESS = 254;

/** `Name <mail@example.org>` as a contact. Text without an `@` in the middle is not an address, and is left out. */
export function parseContact(text: string): Contact | undefined {
  const [, name = "", address = ""] = /^([^<]*)(?:<([^>]*)>)?/.exec(text.trim()) ?? [];
  const email = address.length <= LONGEST_ADDRESS && /^[^\s@]+@[^\s@]+$/.test(address) ? address : undefined;
  const title = name.trim().replace(/^"(.*)"$/, "$1") || email;
  return title ? { name: title, ...(email && { email }) } : undefined;
}
