import { PackageURL } from "packageurl-js";

/** One installed package, as its own database describes it. */
export interface Package {
  /** Its package URL: the same package has the same one, wherever in the image it lies. */
  purl: string;
  /** As scanners that match by product read it (CPE 2.3); only where the vendor is certain. */
  cpe?: string;
  group?: string;
  name: string;
  version: string;
  /** Licences that its metadata declares; null where it declares none in a form that says exactly which. */
  license: DeclaredLicense | null;
  supplier?: Contact;
  author?: string;
  /** SHA-512 of the package's archive, in hex; only where the package's own metadata tells it. */
  sha512?: string;
  /** Not needed by the rest of what is installed beside it. */
  optional?: boolean;
  /** Absolute paths in the image that show the package. */
  paths: string[];
  /** Further facts, by a short name. */
  facts: Record<string, string>;
  /** The purls of the packages that it needs, where they are installed. */
  needs: string[];
}

/** What a package's metadata says of its licence: an SPDX expression, or several licences by SPDX id or by name. */
export type DeclaredLicense = { expression: string } | { each: readonly License[] };
export type License = { id: string } | { name: string };

export interface Contact {
  name: string;
  email?: string;
}

/** The operating system that /etc/os-release names. */
export interface OperatingSystem {
  /** `debian`; empty where the image does not tell. */
  id: string;
  /** With the point release where the image tells it: `12.9`. */
  version: string;
  title: string;
  /** `debian-12.9`: as purls name it. */
  distro: string;
}

/**
 * The package URL, or null where a part of it is not allowed. `:` and `+` of a version are escaped: both forms are
 * allowed and read alike, and this is the one that syft and grype write and compare.
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

/** RFC 5321: what is longer can be no address. */
const LONGEST_ADDRESS = 254;

/** `Name <mail@example.org>` as a contact. What has no `@` in the middle is no address, and stays out. */
export function parseContact(text: string): Contact | undefined {
  const [, name = "", address = ""] = /^([^<]*)(?:<([^>]*)>)?/.exec(text.trim()) ?? [];
  const email = address.length <= LONGEST_ADDRESS && /^[^\s@]+@[^\s@]+$/.test(address) ? address : undefined;
  const title = name.trim().replace(/^"(.*)"$/, "$1") || email;
  return title ? { name: title, ...(email && { email }) } : undefined;
}
