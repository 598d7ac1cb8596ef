import { PackageURL } from "packageurl-js";

export const ECOSYSTEMS = ["deb", "apk", "npm", "pypi"] as const;
export type Ecosystem = (typeof ECOSYSTEMS)[number];

/** One installed package, as its own database describes it. */
export interface Package {
  ecosystem: Ecosystem;
  /** Its package URL: the same package has the same one, wherever in the image it lies. */
  purl: string;
  group?: string;
  name: string;
  version: string;
  /** One SPDX expression, or several SPDX ids and names of licences. */
  licenses: string[];
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

export interface Contact {
  name: string;
  email?: string;
}

/** The operating system that /etc/os-release names. */
export interface OperatingSystem {
  /** `debian`; empty where the image does not tell. */
  id: string;
  version: string;
  title: string;
  /** `debian-12`: as purls name it. */
  distro: string;
}

/** What a cataloger found. */
export interface Catalogue {
  packages: Package[];
  warnings: string[];
}

/** The package URL, or null where a part of it is not allowed. */
export function purlOf(
  type: Ecosystem | "oci",
  parts: { group?: string; name: string; version?: string; qualifiers?: Record<string, string> },
): string | null {
  const qualifiers = Object.entries(parts.qualifiers ?? {}).filter(([, value]) => value !== "");
  try {
    return new PackageURL(
      type,
      parts.group || undefined,
      parts.name,
      parts.version || undefined,
      qualifiers.length > 0 ? Object.fromEntries(qualifiers) : undefined,
      undefined,
    ).toString();
  } catch {
    return null;
  }
}

/** `Name <mail@example.org>` as a contact. An address that is not plainly one stays out. */
export function parseContact(text: string): Contact | undefined {
  const [, name = "", email = ""] = /^([^<]*)(?:<([^>]*)>)?/.exec(text.trim()) ?? [];
  const plain = /^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(email) ? email : undefined;
  const title = name.trim().replace(/^"(.*)"$/, "$1") || plain;
  return title ? { name: title, ...(plain && { email: plain }) } : undefined;
}
