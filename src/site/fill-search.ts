import type { BomRow } from "./bom-rows.ts";
import type { Hit, SearchIndex } from "./search-index.ts";
import { partsOf } from "./search-words.ts";
import type { SiteModel } from "./site-model.ts";
import { sitePaths } from "./site-paths.ts";

/** Adds what records tell of themselves: all but packages. */
export function fillSearch(index: SearchIndex, { manifests, cells, store }: SiteModel): void {
  const addAll = (name: string, hit: Hit) => {
    for (const part of partsOf(name)) index.add(part, hit);
  };
  for (const { id, products, entries } of manifests.values()) {
    const detail = `${entries.length} records`;
    for (const product of products) addAll(product, ["product", product, sitePaths.manifest(id), detail]);
    addAll(id, ["manifest", id, sitePaths.manifest(id), detail]);
  }
  for (const { cell_id, state, entries } of cells.values())
    addAll(cell_id, ["cell", cell_id, sitePaths.cell(cell_id), `${state}, ${entries.length} records`]);
  const seen = new Set<string>();
  for (const {
    id,
    cell,
    status,
    testedAt,
    digest,
    fragments,
    failedTests,
    class: failure,
  } of store.entries) {
    const path = sitePaths.record(id);
    const detail = `${cell}, ${status}, ${testedAt.slice(0, 16)}`;
    index.add(id, ["record", id, path, detail]);
    if (digest !== null) index.add(digest.replace(/^sha256:/, ""), ["image", digest, path, detail]);
    if (failure !== null) addAll(failure, ["failure", failure, path, detail]);
    for (const test of failedTests) addAll(test, ["failed test", test, path, detail]);
    for (const [name, version] of fragments) {
      const fragment = `${name}@${version}`;
      if (seen.has(fragment)) continue;
      seen.add(fragment);
      addAll(fragment, ["fragment", fragment, path, `newest record: ${detail}`]);
    }
  }
}

/** Collects packages of SBOMs, each version once, and how many SBOMs have it. */
export interface PackageCounts {
  take: (sbom: string, rows: readonly BomRow[]) => void;
  fill: (index: SearchIndex) => void;
}

const MOST_PACKAGES = 300_000;

export function createPackageCounts(): PackageCounts {
  const counts = new Map<string, { row: BomRow; sbom: string; count: number }>();
  return {
    take: (sbom, rows) => {
      for (const row of rows) {
        const [name, version, type] = row;
        const key = JSON.stringify([type, name, version]);
        const known = counts.get(key);
        if (known) known.count += 1;
        else if (counts.size < MOST_PACKAGES) counts.set(key, { row, sbom, count: 1 });
      }
    },
    fill: (index) => {
      for (const { row, sbom, count } of counts.values()) {
        const [name, version, type, fragment] = row;
        const path = `${sitePaths.sbom(sbom)}?q=${encodeURIComponent(name)}`;
        const from = fragment === "" ? "" : `, of ${fragment}`;
        const detail = `${type}, in ${count} SBOM${count === 1 ? "" : "s"}${from}`;
        for (const part of partsOf(name)) index.add(part, ["package", `${name} ${version}`, path, detail]);
      }
    },
  };
}
