import type { Catalog } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import type { Cell } from "../plan/cell.ts";
import { reasonText } from "../plan/decide/change-text.ts";
import type { Product } from "../schemas/types.ts";

/** One combination of values on all its platforms: what a tag stands for. */
export interface Combination {
  /** Its cells, by platform; several plans may have the same one by different ids. */
  cells: readonly Cell[];
  /** The cell of its first platform, by which messages name it. */
  first: Cell;
  /** The platforms on which it has to be proven. */
  platforms: readonly string[];
}

/** Whether a combination may be published: the records that prove it, or why not. */
export type Proof = { record_ids: string[] } | { why: string };

/**
 * The platforms that a plan, or a manifest by itself, declares. null if they differ between combinations: then each has
 * those of its own cells.
 */
function declaredBy(
  catalog: Catalog,
  manifestId: string,
  planId: string | undefined,
): readonly string[] | null {
  const { platforms = ["linux/amd64"] } = catalog.manifest(manifestId).document;
  if (planId === undefined) return platforms;
  const { axes, platforms: own, zip = [] } = catalog.plan(planId).document;
  const moves = zip.some((one) =>
    Array.isArray(one)
      ? one.includes("platform")
      : Object.values(one.values).some(({ platform }) => platform !== undefined),
  );
  return moves ? null : (axes?.platform ?? own ?? platforms);
}

/** What a product publishes: cells of its plans, without those that are meant to fail. */
function isPublished({ manifest_id, plans }: Pick<Product, "manifest_id" | "plans">, cell: Cell): boolean {
  if (cell.manifest_id !== manifest_id || cell.expect) return false;
  return plans === undefined || cell.plan_ids.some((id) => plans.includes(id));
}

/**
 * The combinations of a product, sorted by the id of their first cell.
 * @param cells of its plans; those of other manifests, and those that are meant to fail, are left out
 */
export function combinationsOf(
  catalog: Catalog,
  product: Pick<Product, "manifest_id" | "plans">,
  cells: readonly Cell[],
): Combination[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    if (!isPublished(product, cell)) continue;
    const { fragments, base, args, named = {} } = cell;
    const key = canonicalJson({ fragments, base: base.ref, args, named });
    const group = groups.get(key);
    if (group) group.push(cell);
    else groups.set(key, [cell]);
  }
  const declared = new Map<string | undefined, readonly string[] | null>();
  const platformsOf = (planId: string | undefined) => {
    let known = declared.get(planId);
    if (known === undefined) declared.set(planId, (known = declaredBy(catalog, product.manifest_id, planId)));
    return known;
  };
  return [...groups.values()]
    .flatMap((group): Combination[] => {
      const sorted = [...group].sort(
        (a, b) => compareText(a.platform, b.platform) || compareText(a.cell_id, b.cell_id),
      );
      const [first] = sorted;
      if (!first) return [];
      const plans = new Set(sorted.flatMap(({ plan_ids }) => plan_ids));
      const asked =
        plans.size === 0 ? [undefined] : [...plans].filter((id) => product.plans?.includes(id) ?? true);
      const platforms = new Set(sorted.map(({ platform }) => platform));
      for (const planId of asked) for (const platform of platformsOf(planId) ?? []) platforms.add(platform);
      return [{ cells: sorted, first, platforms: [...platforms].sort(compareText) }];
    })
    .sort((a, b) => compareText(a.first.cell_id, b.first.cell_id));
}

/** Whether a record proves a cell, as `--reuse` decides: then nothing is built or tested for it. */
function isProven({ action, record_id }: Cell): boolean {
  return record_id !== null && (action === "reuse" || action === "retag");
}

/** Whether each platform of a combination is proven, and by which records. */
export function proofOf({ cells, platforms }: Combination): Proof {
  const record_ids: string[] = [];
  const lacks: string[] = [];
  for (const platform of platforms) {
    const own = cells.filter((cell) => cell.platform === platform);
    const proven = own.find(isProven);
    if (proven?.record_id) record_ids.push(proven.record_id);
    else if (own[0]) lacks.push(`${own[0].cell_id} is not proven (${reasonText(own[0])})`);
    else lacks.push(`no cell is planned for ${platform}`);
  }
  return lacks.length > 0 ? { why: lacks.join("; ") } : { record_ids };
}

/**
 * A combination whose images are in the layers that its product asks for, to be proven by records of their own. Where they may not be
 * published, although they are proven, it says why.
 */
export function inOtherLayers(combination: Combination): { layered: Combination; kept_back: string | null } {
  const cells = combination.cells.map((cell): Cell => {
    const { action = "repack", reason = "NEW", record_id = null } = cell.repack ?? {};
    return { ...cell, action: action === "reuse" ? action : "build", reason, record_id, changes: [] };
  });
  const [first = combination.first] = cells;
  const back = combination.cells.find(({ repack }) => repack?.kept_back);
  return {
    layered: { ...combination, cells, first },
    kept_back: back ? `${back.cell_id} in other layers: ${back.repack?.kept_back}` : null,
  };
}
