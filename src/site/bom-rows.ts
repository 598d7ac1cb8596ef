import { packagesIn } from "../inspect/bom-components.ts";

/** A package of an SBOM as a row. */
export type BomRow = readonly [
  name: string,
  version: string,
  type: string,
  fragment: string,
  licenses: string,
];

/** How many rows a page, and a piece of data, has. */
export const ROWS_A_PAGE = 1000;

const typeOf = (purl: string): string => /^pkg:([a-z0-9.+-]{1,40})\//i.exec(purl)?.[1]?.toLowerCase() ?? "";

/** The packages of a CycloneDX document, in its order. @param text null if it is no JSON */
export function bomRows(text: string): BomRow[] | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  return packagesIn(document).map(({ name, version, purl, fragment, licenses }) => [
    name,
    version,
    typeOf(purl),
    fragment ?? "",
    licenses.join(", "),
  ]);
}

export interface PackageChange {
  name: string;
  type: string;
  from: string;
  to: string;
  fragment: string;
}

/** Packages that differ between two SBOMs, by type and name; versions of one name are joined. */
export function packageChanges(a: readonly BomRow[], b: readonly BomRow[]): PackageChange[] {
  const byName = (rows: readonly BomRow[]) => {
    const found = new Map<string, { versions: string[]; fragment: string }>();
    for (const [name, version, type, fragment] of rows) {
      const key = `${type} ${name}`;
      const known = found.get(key);
      if (known) known.versions.push(version);
      else found.set(key, { versions: [version], fragment });
    }
    return found;
  };
  const [before, after] = [byName(a), byName(b)];
  const text = (of: { versions: string[] } | undefined) => [...(of?.versions ?? [])].sort().join(", ");
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key): PackageChange[] => {
    const [from, to] = [text(before.get(key)), text(after.get(key))];
    if (from === to) return [];
    const at = key.indexOf(" ");
    const fragment = (after.get(key) ?? before.get(key))?.fragment ?? "";
    return [{ type: key.slice(0, at), name: key.slice(at + 1), from, to, fragment }];
  });
}
