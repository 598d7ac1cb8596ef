import type { Catalog, Entry } from "../catalog/catalog.ts";
import { circleFinding, type InCircle } from "../catalog/circles.ts";
import { errorOf, FactoryError, type Finding } from "../errors.ts";
import { parentIn } from "../model/parent.ts";
import type { Manifest } from "../model/manifest.ts";

const placeOf = ({ place }: Entry<Manifest>) => place(["base", "manifest"]);

/**
 * The manifest that a manifest starts from; null if it starts from an image.
 * @throws FactoryError UNKNOWN_MANIFEST at the place where it is named; the findings of the parent itself
 */
function parentEntry(catalog: Catalog, entry: Entry<Manifest>): Entry<Manifest> | null {
  const id = parentIn(entry.document.base);
  if (id === null) return null;
  try {
    return catalog.manifest(id);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "UNKNOWN_MANIFEST") throw error;
    throw new FactoryError(error.code, error.message, { where: placeOf(entry), fix: error.fix });
  }
}

/**
 * Why a manifest's parent cannot be its base on some platforms.
 * @throws FactoryError as parentEntry does
 */
export function parentFindings(
  catalog: Catalog,
  entry: Entry<Manifest>,
  platforms: readonly string[],
): Finding[] {
  const parent = parentEntry(catalog, entry);
  if (!parent) return [];
  const { manifest_id: id, platforms: offered = ["linux/amd64"] } = parent.document;
  return platforms.flatMap((platform): Finding[] => {
    if (offered.includes(platform)) return [];
    return [
      {
        code: "BASE_PLATFORM",
        what: `the manifest ${id}, which ${entry.document.manifest_id} starts from, is not built for ${platform}`,
        where: placeOf(entry),
        fix: `add ${platform} to the platforms of ${id}, or remove it from those of ${entry.document.manifest_id}; ${id} is built for ${offered.join(", ")}`,
      },
    ];
  });
}

/**
 * The manifests that a manifest starts from, the nearest first; none if it starts from an image. It does not recurse, so a
 * chain may be of any length.
 * @throws FactoryError PARENT_CYCLE, and as parentEntry does
 */
export function ancestorsOf(catalog: Catalog, manifestId: string): string[] {
  const path: InCircle[] = [];
  const seen = new Map<string, number>();
  for (let entry: Entry<Manifest> | null = catalog.manifest(manifestId); entry;) {
    const { manifest_id: id } = entry.document;
    const from = seen.get(id);
    if (from !== undefined) throw errorOf([circleFinding(path.slice(from))]);
    seen.set(id, path.length);
    path.push({ id, where: placeOf(entry) });
    entry = parentEntry(catalog, entry);
  }
  return [...seen.keys()].slice(1);
}
