import type { Scheme } from "../catalog/schemes/scheme.ts";
import { sortVersions } from "../catalog/versions.ts";
import { compareText } from "../model/compare.ts";
import type { PlannedCell } from "./cell.ts";

/**
 * Sorts cells by manifest, by their versions in Dockerfile order, then by platform: so cells that share a prefix are
 * together. Every version is ranked once, so that a comparison only compares texts.
 */
export function sortCells(
  cells: readonly PlannedCell[],
  schemeOf: (fragment: string) => Scheme,
): PlannedCell[] {
  const versions = new Map<string, Set<string>>();
  for (const { cell } of cells) {
    for (const name in cell.fragments) {
      const known = versions.get(name);
      if (known) known.add(cell.fragments[name] ?? "");
      else versions.set(name, new Set([cell.fragments[name] ?? ""]));
    }
  }
  const ranks = new Map<string, Map<string, string>>();
  for (const [name, set] of versions) {
    const sorted = sortVersions(set, schemeOf(name));
    ranks.set(
      name,
      new Map(sorted.map((version, at) => [version, `${name}\u0001${String(at).padStart(7, "0")}\u0001`])),
    );
  }
  const keyed = cells.map((planned) => {
    const { cell } = planned;
    let key = `${cell.manifest_id}\u0001`;
    for (const name in cell.fragments) key += ranks.get(name)?.get(cell.fragments[name] ?? "") ?? "";
    return { planned, key: `${key}${cell.platform}\u0001${cell.cell_id}` };
  });
  keyed.sort((a, b) => compareText(a.key, b.key));
  return keyed.map(({ planned }) => planned);
}
