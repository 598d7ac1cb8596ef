import type { Catalog } from "../catalog/catalog.ts";
import { canonicalJson } from "../model/digest.ts";
import type { Parent } from "../model/inputs.ts";
import type { PickVersion, Resolved } from "./choice.ts";
import { type DigestOf, keysFor, type Target } from "./keys.ts";
import { keep, ofCatalog } from "./memo.ts";
import { ancestorsOf } from "./parent-chain.ts";
import { recipeOf } from "./recipe.ts";
import { resolve } from "./resolve.ts";

/** Stands for a function that was not given, where what was computed is kept by it. */
const NONE = () => null;

type Kept = WeakMap<object, WeakMap<object, Map<string, Parent>>>;

const keptOf = ofCatalog((): Kept => new WeakMap());

/** What was computed with the same digests and the same choice of versions. */
function keptWith(catalog: Catalog, digestOf: DigestOf | undefined, pick: PickVersion | undefined) {
  const byDigests = keptOf(catalog);
  const byPick = byDigests.get(digestOf ?? NONE) ?? new WeakMap<object, Map<string, Parent>>();
  byDigests.set(digestOf ?? NONE, byPick);
  const known = byPick.get(pick ?? NONE) ?? new Map<string, Parent>();
  byPick.set(pick ?? NONE, known);
  return known;
}

/**
 * The parent of a manifest with the build key of its image: of the parent by itself, on the same platform, from the same
 * digests, environment and choice of versions. It is computed from the top of the chain down, and once for all cells that
 * start from it.
 * @throws FactoryError PARENT_CYCLE, and whatever resolving and rendering an ancestor throws
 */
export function parentOf(
  catalog: Catalog,
  { manifest, parent, pick }: Resolved,
  target: Target,
): Parent | undefined {
  if (parent === null) return undefined;
  const { digestOf, platform = null, environment = {} } = target;
  const known = keptWith(catalog, digestOf, pick);
  const suffix = ` ${platform ?? ""} ${canonicalJson(environment)}`;
  const direct = known.get(parent + suffix);
  if (direct) return direct;
  let above: Parent | undefined;
  for (const id of ancestorsOf(catalog, manifest.document.manifest_id).reverse()) {
    const inherited = above;
    above = keep(known, id + suffix, () => {
      const resolved = resolve(catalog, id, { pick, ...(platform !== null && { platforms: [platform] }) });
      const { build_key } = keysFor(recipeOf(catalog, resolved), target, inherited);
      return Object.freeze({ manifest_id: id, build_key });
    });
  }
  return above;
}
