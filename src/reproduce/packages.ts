import { PackageURL } from "packageurl-js";
import { compareText } from "../model/compare.ts";

/** A package that two inventories do not have in the same version. */
export interface PackageChange {
  /** As in package URLs: `deb`, `apk`, `pypi`, `npm`. */
  type: string;
  name: string;
  /** Its versions before and after, sorted; empty where it is not there. */
  from: string[];
  to: string[];
}

/** What a package URL names; null for another tool's text, which says nothing of a package. */
export function packageOf(purl: string): { type: string; name: string; version: string } | null {
  try {
    const { type, namespace, name, version } = PackageURL.fromString(purl);
    // A distribution's name stands in the namespace: it is no part of a Debian package's own.
    return {
      type,
      name: type === "npm" && namespace ? `${namespace}/${name}` : name,
      version: version ?? "",
    };
  } catch {
    return null;
  }
}

/** The versions of an inventory's packages, by type and name. */
function versionsIn(sbom: unknown): Map<string, { type: string; name: string; versions: Set<string> }> {
  const found = new Map<string, { type: string; name: string; versions: Set<string> }>();
  const { components } = (sbom ?? {}) as { components?: unknown };
  for (const component of Array.isArray(components) ? (components as unknown[]) : []) {
    const { purl } = (component ?? {}) as { purl?: unknown };
    if (typeof purl !== "string") continue;
    const named = packageOf(purl);
    if (!named) continue;
    const { type, name: own, version } = named;
    const key = JSON.stringify([type, own]);
    const known = found.get(key) ?? { type, name: own, versions: new Set<string>() };
    known.versions.add(version);
    found.set(key, known);
  }
  return found;
}

/** Packages whose versions differ between two CycloneDX documents, sorted by type and name. */
export function packageChanges(before: unknown, after: unknown): PackageChange[] {
  const [one, two] = [versionsIn(before), versionsIn(after)];
  const sorted = (versions: Set<string> | undefined) => [...(versions ?? [])].sort(compareText);
  return [...new Set([...one.keys(), ...two.keys()])]
    .map((key) => {
      const { type = "", name = "" } = one.get(key) ?? two.get(key) ?? {};
      return { type, name, from: sorted(one.get(key)?.versions), to: sorted(two.get(key)?.versions) };
    })
    .filter(({ from, to }) => from.join("\n") !== to.join("\n"))
    .sort((a, b) => compareText(a.type, b.type) || compareText(a.name, b.name));
}

/** A change of a package for people: `openssl 3.0.14 → 3.0.15`. */
export function packageText({ name, from, to }: PackageChange): string {
  if (from.length === 0) return `${name} ${to.join(", ")} (new)`;
  if (to.length === 0) return `${name} ${from.join(", ")} (gone)`;
  return `${name} ${from.join(", ")} → ${to.join(", ")}`;
}
