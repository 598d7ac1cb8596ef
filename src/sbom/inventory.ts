import { compareText } from "../model/compare.ts";
import { CATALOGERS, ECOSYSTEMS, type Ecosystem } from "./catalogers/catalogers.ts";
import type { ImageFiles } from "./image-files.ts";
import type { Notes } from "./notes.ts";
import { readOperatingSystem } from "./os-release.ts";
import type { Pace } from "./pace.ts";
import type { OperatingSystem, Package } from "./package.ts";
import type { ImagePath } from "./paths.ts";

/** A package, and what found it. */
export type Found = Package & { ecosystem: Ecosystem; owner?: string; brought?: Brought };

/** What brought a package into an image, in the version that it has now. */
export interface Brought {
  /** The hash of what that layer unpacks to. */
  layer: string;
  /** The fragment whose layer it is, as `core@0.1.0`, or BASE or TEMPLATE; null if it is not known. */
  fragment: string | null;
}

/** Everything that was found in an image: packages sorted by purl, each once. */
export interface Inventory {
  os: OperatingSystem | null;
  osBrought?: Brought;
  packages: Found[];
  counts: Record<Ecosystem, number>;
}

const sorted = (texts: Iterable<string>) => [...new Set(texts)].sort(compareText);

/** Merges a package that lies in several places. */
function mergeSame(first: Found, same: readonly Found[]): Found {
  if (same.length === 1) return { ...first, needs: sorted(first.needs) };
  return {
    ...first,
    license: same.find((one) => one.license)?.license ?? null,
    author: same.find((one) => one.author)?.author,
    sha1: same.every((one) => one.sha1 === first.sha1) ? first.sha1 : undefined,
    sha512: same.find((one) => one.sha512)?.sha512,
    owner: same.find((one) => one.owner !== undefined)?.owner,
    optional: same.every((one) => one.optional),
    paths: sorted(same.flatMap((one) => one.paths)),
    needs: sorted(same.flatMap((one) => one.needs)),
  };
}

/** Runs every cataloger over an image's files. @throws FactoryError INTERRUPTED */
export async function takeInventory(files: ImageFiles, notes: Notes, pace: Pace): Promise<Inventory> {
  const os = readOperatingSystem(files);
  const byPurl = new Map<string, Found[]>();
  const owners: Map<ImagePath, string>[] = [];
  const catalogued: Found[] = [];
  for (const ecosystem of ECOSYSTEMS) {
    const { catalog, owned } = CATALOGERS[ecosystem];
    const packages = await catalog(files, { os, notes, pace });
    for (const one of packages) catalogued.push({ ...one, ecosystem });
    if (owned) owners.push(await owned(files, packages, pace));
  }
  for (const [at, one] of catalogued.entries()) {
    for (const path of one.paths) {
      const owner = owners
        .map((some) => some.get(path.slice(1).replace(/!\/.*$/s, "")))
        .find((some) => some !== undefined);
      if (owner !== undefined && owner !== one.purl) one.owner = owner;
    }
    const same = byPurl.get(one.purl);
    if (same) same.push(one);
    else byPurl.set(one.purl, [one]);
    if (pace.due()) await pace.rest("packages and their owners", at, catalogued.length);
  }
  const packages: Found[] = [];
  for (const purl of sorted(byPurl.keys())) {
    const same = byPurl.get(purl) ?? [];
    if (same[0]) packages.push(mergeSame(same[0], same));
    if (pace.due()) await pace.rest("packages put together", packages.length, byPurl.size);
  }
  if (packages.length === 0) notes.add("found no packages in the image");
  const counts = Object.fromEntries(ECOSYSTEMS.map((name) => [name, 0])) as Record<Ecosystem, number>;
  for (const { ecosystem } of packages) counts[ecosystem] += 1;
  return { os, packages, counts };
}
