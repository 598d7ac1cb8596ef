import { compareText } from "../model/compare.ts";
import { catalogApk } from "./apk.ts";
import { catalogDpkg } from "./dpkg.ts";
import type { ImageFiles } from "./merge.ts";
import { catalogNpm } from "./npm.ts";
import { readOperatingSystem } from "./os-release.ts";
import { ECOSYSTEMS, type Ecosystem, type OperatingSystem, type Package } from "./package.ts";
import { catalogPython } from "./python.ts";

/** All that was found in an image: packages sorted by purl, each once. */
export interface Inventory {
  os: OperatingSystem | null;
  packages: Package[];
  counts: Record<Ecosystem, number>;
  warnings: string[];
}

const sorted = (texts: Iterable<string>) => [...new Set(texts)].sort(compareText);

/** One package for all the places where it lies. */
function mergeSame(packages: readonly Package[]): Package[] {
  const byPurl = new Map<string, Package[]>();
  for (const one of packages) byPurl.set(one.purl, [...(byPurl.get(one.purl) ?? []), one]);
  return sorted(byPurl.keys()).flatMap((purl) => {
    const same = byPurl.get(purl) ?? [];
    const [first] = same;
    if (!first) return [];
    return {
      ...first,
      licenses: same.find((one) => one.licenses.length > 0)?.licenses ?? [],
      author: same.find((one) => one.author)?.author,
      sha512: same.find((one) => one.sha512)?.sha512,
      optional: same.every((one) => one.optional),
      paths: sorted(same.flatMap((one) => one.paths)),
      needs: sorted(same.flatMap((one) => one.needs)),
    };
  });
}

/** Runs every cataloger over an image's files. */
export function takeInventory(files: ImageFiles): Inventory {
  const os = readOperatingSystem(files);
  const catalogues = [catalogDpkg(files, os), catalogApk(files, os), catalogNpm(files), catalogPython(files)];
  const packages = mergeSame(catalogues.flatMap((catalogue) => catalogue.packages));
  const warnings = catalogues.flatMap((catalogue) => catalogue.warnings);
  if (packages.length === 0) warnings.push("found no packages in the image");
  const count = (ecosystem: Ecosystem) => packages.filter((one) => one.ecosystem === ecosystem).length;
  const counts = Object.fromEntries(ECOSYSTEMS.map((name) => [name, count(name)])) as Record<
    Ecosystem,
    number
  >;
  return { os, packages, counts, warnings };
}
