import { CATALOGERS, ECOSYSTEMS, type Ecosystem } from "./catalogers/catalogers.ts";
import type { Content, ImageFiles } from "./image-files.ts";
import type { Brought, Inventory } from "./inventory.ts";
import { historyIn, layerOwners, type Recipe } from "./layer-origin.ts";
import { createNotes } from "./notes.ts";
import type { Pace } from "./pace.ts";
import type { OperatingSystem, Package } from "./package.ts";
import type { ImagePath } from "./paths.ts";

/** Layers by their place: what they unpack to, and whose they are. */
type LayerNames = readonly Brought[];

/** What is the same of a package before and after a layer: neither its licence nor the distribution's point release. */
const keyOf = ({ group = "", name, version, facts }: Package): string =>
  JSON.stringify([group, name, version, facts.arch ?? ""]);

/** The file that shows a package. What lies in an archive is shown by that. */
function fileAt(files: ImageFiles, path: string): ImagePath {
  const end = path.indexOf("!/");
  return end < 0 || files.contents(path.slice(1)).length > 0 ? path.slice(1) : path.slice(1, end);
}

/** Some files as they were once, without all others. */
function viewOf(files: ImageFiles, held: ReadonlyMap<ImagePath, Buffer>): ImageFiles {
  const programs = new Set(files.programs);
  const paths = [...held.keys()];
  return {
    ...files,
    paths: paths.filter((path) => !programs.has(path)),
    programs: paths.filter((path) => programs.has(path)),
    links: [],
    read: (path) => held.get(files.resolve(path) ?? "") ?? null,
    contents: () => [],
    missing: [],
  };
}

/**
 * Since which layer the packages in files that several layers changed are there in one version: databases of packages are
 * written whole by each layer that adds one. Each content is read once.
 */
async function sinceByPath(
  changed: ReadonlyMap<ImagePath, readonly Content[]>,
  ecosystems: readonly Ecosystem[],
  { files, os, pace }: { files: ImageFiles; os: OperatingSystem | null; pace: Pace },
): Promise<Map<ImagePath, Map<string, number>>> {
  const byLayer = new Map<number, Map<ImagePath, Buffer>>();
  for (const [path, contents] of changed)
    for (const { layer, bytes } of contents)
      byLayer.set(layer, (byLayer.get(layer) ?? new Map<ImagePath, Buffer>()).set(path, bytes));
  const since = new Map<ImagePath, Map<string, number>>();
  for (const [layer, held] of [...byLayer].sort(([a], [b]) => a - b)) {
    const view = viewOf(files, held);
    const now = new Map([...held.keys()].map((path) => [path, new Map<string, number>()] as const));
    for (const ecosystem of ecosystems) {
      const packages = await CATALOGERS[ecosystem].catalog(view, { os, notes: createNotes(), pace });
      for (const one of packages)
        for (const path of one.paths) {
          const key = keyOf(one);
          const file = fileAt(files, path);
          now.get(file)?.set(key, since.get(file)?.get(key) ?? layer);
        }
    }
    for (const [path, keys] of now) since.set(path, keys);
  }
  return since;
}

/** Layers of an image by their place; null if its configuration does not name them. */
function namesOf(
  config: Readonly<Record<string, unknown>>,
  count: number,
  recipe: Recipe | undefined,
): LayerNames | null {
  const { diff_ids } = (config.rootfs ?? {}) as { diff_ids?: unknown };
  const ids = Array.isArray(diff_ids) ? (diff_ids as unknown[]) : [];
  if (ids.length !== count || !ids.every((id) => typeof id === "string")) return null;
  const owners = layerOwners(recipe, { history: historyIn(config), layers: ids });
  return ids.map((layer, at) => ({ layer, fragment: owners[at] ?? null }));
}

/**
 * Says of each package, and of the operating system, which layer brought it in the version that it has now, and whose layer that
 * is. One that a layer removed and a later one brought back belongs to the later one.
 * @param image `layers`: how many it has
 * @throws FactoryError INTERRUPTED
 */
export async function attribute(
  inventory: Inventory,
  files: ImageFiles,
  image: { config: Readonly<Record<string, unknown>>; layers: number; recipe?: Recipe },
  pace: Pace,
): Promise<void> {
  const names = namesOf(image.config, image.layers, image.recipe);
  if (!names) return;
  const { os, packages } = inventory;
  const changed = new Map<ImagePath, readonly Content[]>();
  const ecosystems = new Set<Ecosystem>();
  for (const { paths, ecosystem } of packages)
    for (const path of paths) {
      const file = fileAt(files, path);
      const contents = files.contents(file);
      if (contents.length < 2) continue;
      changed.set(file, contents);
      ecosystems.add(ecosystem);
    }
  const affected = ECOSYSTEMS.filter((one) => ecosystems.has(one));
  const since = await sinceByPath(changed, affected, { files, os, pace });
  for (const one of packages) {
    const layers = one.paths.flatMap((path) => {
      const file = fileAt(files, path);
      return since.get(file)?.get(keyOf(one)) ?? files.contents(file).at(-1)?.layer ?? [];
    });
    one.brought = layers.length === 0 ? undefined : names[Math.min(...layers)];
  }
  const release = ["etc/os-release", "usr/lib/os-release"].map((path) => files.contents(path)[0]);
  inventory.osBrought = names[release.find((one) => one !== undefined)?.layer ?? -1];
}
