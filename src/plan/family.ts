import type { Catalog } from "../catalog/catalog.ts";
import { compareText } from "../model/compare.ts";
import { parentIn } from "../model/parent.ts";
import { ancestorsOf } from "../stitch/parent-chain.ts";
import { type Planned, type PlannedCell, withCell } from "./cell.ts";
import { expand } from "./expand.ts";
import { sortCells } from "./order.ts";
import type { Given } from "./space.ts";
import { above, byId, topological } from "./topology.ts";

/** Manifests and all that they start from, sorted. @throws FactoryError as ancestorsOf does */
export function withParents(catalog: Catalog, manifestIds: readonly string[]): string[] {
  const found = new Set(manifestIds);
  for (const id of manifestIds) for (const one of ancestorsOf(catalog, id)) found.add(one);
  return [...found].sort(compareText);
}

/** The platforms on which manifests have to be there for the cells that start from them, however far below. */
function neededBy(catalog: Catalog, cells: readonly PlannedCell[]): Map<string, Set<string>> {
  const needed = new Map<string, Set<string>>();
  for (const { cell, keys } of cells) {
    let id = keys.parent?.manifest_id ?? null;
    while (id !== null) {
      const platforms = needed.get(id) ?? new Set<string>();
      if (platforms.has(cell.platform)) break;
      needed.set(id, platforms.add(cell.platform));
      id = parentIn(catalog.manifest(id).document.base);
    }
  }
  return needed;
}

/**
 * A plan with the cells that its cells start from: each is in it once, however many start from it, and is a plan's own cell
 * if that has the same id.
 * @throws FactoryError what expanding a parent throws
 */
export function withAncestors(catalog: Catalog, planned: Planned, given: Given): Planned {
  const needed = neededBy(catalog, planned.cells);
  if (needed.size === 0) return planned;
  const known = byId(planned.cells);
  const added: PlannedCell[] = [];
  for (const [manifestId, platforms] of needed) {
    for (const one of expand(catalog, { manifestId }, given).cells) {
      const { cell_id, platform, verdict_key } = one.cell;
      if (!platforms.has(platform)) continue;
      const own = known.get(cell_id);
      if (!own) added.push(one);
      // An id names all that a plan chose: without a choice the keys are those of the manifest by itself.
      else if (own.cell.verdict_key !== verdict_key)
        throw new Error(`the cell ${cell_id} of a plan differs from the manifest by itself`);
    }
  }
  return { ...planned, cells: sortCells([...planned.cells, ...added], catalog.fragmentScheme) };
}

/** The cells that are kept, with those of a whole plan that they start from: these are needed whether they changed or not. */
export function withNeeded(
  catalog: Catalog,
  kept: readonly PlannedCell[],
  whole: readonly PlannedCell[],
): PlannedCell[] {
  const more = above(kept, whole);
  if (more.length === 0) return [...kept];
  const below = new Map<string, string>();
  for (const { cell } of [...kept, ...more])
    if (cell.parent !== undefined && !below.has(cell.parent)) below.set(cell.parent, cell.cell_id);
  const needed = more.map((one) => {
    const changes = [{ input: "needed", before: null, after: below.get(one.cell.cell_id) ?? null }];
    return withCell(one, { reason: "NEEDED", changes, record_id: null });
  });
  return sortCells([...kept, ...needed], catalog.fragmentScheme);
}

/** The cells that changed, and those that start from one that did, however far below it; in the order of the whole plan. */
export function withDescendants(
  changed: readonly PlannedCell[],
  whole: readonly PlannedCell[],
): PlannedCell[] {
  const found = byId(changed);
  for (const planned of topological(whole)) {
    const { cell_id, parent } = planned.cell;
    if (parent === undefined || found.has(cell_id) || !found.has(parent)) continue;
    found.set(cell_id, withCell(planned, { reason: "PARENT", changes: [], record_id: null }));
  }
  return whole.flatMap(({ cell }) => found.get(cell.cell_id) ?? []);
}

/**
 * Names the first cause in each cell that something is done about because of its parent: the cell at the top of the chain
 * about which something is done for a reason of its own.
 */
export function withCauses(cells: readonly PlannedCell[]): PlannedCell[] {
  const causes = new Map<string, string>();
  const named = new Map<PlannedCell, PlannedCell>();
  for (const planned of topological(cells)) {
    const { cell_id, parent, action, reason, changes } = planned.cell;
    const cause = parent === undefined ? undefined : causes.get(parent);
    // What only gets its tag again stays what it was.
    if (reason !== null && reason !== "NEEDED" && action !== "retag") causes.set(cell_id, cause ?? cell_id);
    if (reason !== "PARENT" || cause === undefined) continue;
    const others = changes.filter(({ input }) => !/^parent(\.|$)/.test(input));
    named.set(
      planned,
      withCell(planned, { changes: [{ input: "parent", before: null, after: cause }, ...others] }),
    );
  }
  return cells.map((planned) => named.get(planned) ?? planned);
}
