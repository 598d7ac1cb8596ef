import { compareText } from "../../model/compare.ts";
import type { RecordFilter } from "../list-request.ts";
import type { Place } from "../place.ts";
import { matchingRows, valuesOf } from "../record-rows.ts";
import type { RecordTable } from "../record-table.ts";
import { openPackages, type PackageWatch } from "./package-index.ts";
import type { HeldPackage, PackageTest } from "./package-test.ts";

/** The packages that were asked for, by table and by the SBOM that names them. */
export type Holding = ReadonlyMap<RecordTable, ReadonlyMap<string, readonly HeldPackage[]>>;

/** The SBOMs of the records that are meant, and how many records have each. */
function sbomsOf(table: RecordTable, filter: RecordFilter): Map<string, number> {
  const sboms = new Map<string, number>();
  const sbomOf = valuesOf(table, "sbom", (value) => value as string | null);
  for (const row of matchingRows(table, filter)) {
    const sbom = sbomOf(row);
    if (sbom !== null) sboms.set(sbom, (sboms.get(sbom) ?? 0) + 1);
  }
  return sboms;
}

/**
 * Which SBOMs of the records that are meant name all packages that are asked for.
 * @returns `doubts`: how many records there are of which that cannot be said, by reason
 */
export async function holdingOf(
  place: Place,
  tables: readonly RecordTable[],
  filter: RecordFilter & { packages: readonly PackageTest[] },
  watch: PackageWatch,
): Promise<{ holding: Holding; doubts: Record<string, number> }> {
  const holding = new Map<RecordTable, ReadonlyMap<string, readonly HeldPackage[]>>();
  const doubts: Record<string, number> = {};
  const doubt = (why: string, count: number) => {
    doubts[why] = (doubts[why] ?? 0) + count;
  };
  for (const table of tables) {
    const sboms = sbomsOf(table, filter);
    const index = await openPackages(place, table.manifestId, sboms.keys(), watch);
    for (const [sbom, why] of index.unknown) doubt(why, sboms.get(sbom) ?? 0);
    for (const { test } of filter.packages)
      for (const [sbom, all] of index.holding((held) => test(held) === null)) {
        const types = [...new Set(all.map(({ type }) => type))].sort(compareText).join(", ");
        doubt(`versions that cannot be compared (${types})`, sboms.get(sbom) ?? 0);
      }
    const each = filter.packages.map(({ test }) => index.holding((held) => test(held) === true));
    const [first, ...others] = each;
    const found = new Map<string, readonly HeldPackage[]>();
    for (const [sbom, held] of first ?? [])
      if (others.every((other) => other.has(sbom)))
        found.set(sbom, [...held, ...others.flatMap((other) => other.get(sbom) ?? [])]);
    holding.set(table, found);
  }
  return { holding, doubts };
}
