import type { Change, LayerComparison, Sameness } from "../compare/compare-images.ts";
import { compareText } from "../model/compare.ts";
import type { LayerOrigin } from "../sbom/layer-origin.ts";
import { isBookkeeping, type Owners } from "./owners.ts";
import type { PackageChange } from "./packages.ts";

/** How a file came to differ. */
export type Cause =
  /** It belongs to a package whose version differs, or is what its package manager writes about that. */
  | "drift"
  /** Nothing says why: the step does not give the same each time. */
  | "unexplained";

export interface ExplainedChange extends Change {
  cause: Cause;
  /** The package that it belongs to, by name; null where it is no package's own. */
  package: string | null;
}

/** A layer of the recorded image, and the one that was built again. */
export interface LayerVerdict {
  /** From 1; the first is the base's. */
  layer: number;
  same: Sameness;
  recorded: string | null;
  rebuilt: string | null;
  /** What made it; null for a layer of the base. */
  made_by: LayerOrigin | null;
  /** How many paths differ, and how many of them in their times alone. */
  differing: number;
  times: number;
  changes: ExplainedChange[];
}

/** Packages that have other versions by now. */
export interface Drift extends PackageChange {
  /** The fragment in whose layer their files differ; null if it is not known. */
  fragment: string | null;
}

export type Outcome =
  /** The same manifest, byte for byte. */
  | "identical"
  /** The same files with the same contents, modes and owners; other times. */
  | "same-content"
  /** Only packages, and what belongs to them, differ: with `--update` that counts as reproduced. */
  | "updated"
  | "different"
  /** It could not be built, or there was nothing left to compare it with. */
  | "incomplete";

/** Explains the differences of each layer. */
export function explainLayers(
  compared: readonly LayerComparison[],
  origins: readonly (LayerOrigin | null)[],
  { owners, packages }: { owners: Owners; packages: readonly PackageChange[] },
): { layers: LayerVerdict[]; drift: Drift[] } {
  for (const { kept } of compared) kept.forEach(owners.take);
  const fragments = new Map<PackageChange, string>();
  const layers = compared.map(({ before, after, same, changes, times }, at): LayerVerdict => {
    const made_by = origins[at] ?? null;
    const owned = changes.map(({ path }) => owners.of(path));
    const drifts = owned.some((one) => one !== undefined);
    for (const one of owned)
      if (one && made_by && made_by.fragment !== null && !fragments.has(one))
        fragments.set(one, made_by.fragment);
    const explained = changes.map((change, index): ExplainedChange => {
      const owner = owned[index];
      const isDrift = owner !== undefined || (drifts && isBookkeeping(change.path));
      return { ...change, cause: isDrift ? "drift" : "unexplained", package: owner?.name ?? null };
    });
    return {
      layer: at + 1,
      same,
      recorded: before,
      rebuilt: after,
      made_by,
      differing: changes.length,
      times,
      changes: explained,
    };
  });
  const drift = packages.map((one) => ({ ...one, fragment: fragments.get(one) ?? null }));
  return { layers, drift };
}

/**
 * What the comparison comes to.
 * @param config fields in which the configurations differ
 * @param update whether newer packages alone count as reproduced
 */
export function outcomeOf(
  layers: readonly LayerVerdict[],
  { isSameManifest, config, update }: { isSameManifest: boolean; config: readonly string[]; update: boolean },
): Outcome {
  if (isSameManifest) return "identical";
  if (layers.some(({ same }) => same === "unknown")) return "incomplete";
  const differing = layers.filter(({ same }) => same === "different");
  if (differing.length === 0 && config.length === 0) return "same-content";
  const isDrift = differing.every(
    ({ changes }) => changes.length > 0 && changes.every(({ cause }) => cause === "drift"),
  );
  return update && isDrift && config.length === 0 ? "updated" : "different";
}

/** The paths that nothing explains, by the fragment, or else the instruction, that made them. */
export function unexplainedBy(layers: readonly LayerVerdict[]): { made_by: string; paths: string[] }[] {
  const found = new Map<string, string[]>();
  for (const { made_by, changes } of layers) {
    const paths = changes.filter(({ cause }) => cause === "unexplained").map(({ path }) => path);
    if (paths.length === 0) continue;
    const name = made_by?.fragment ?? (made_by ? `the template (line ${made_by.line})` : "the base");
    found.set(name, [...(found.get(name) ?? []), ...paths]);
  }
  return [...found]
    .map(([made_by, paths]) => ({ made_by, paths }))
    .sort((a, b) => compareText(a.made_by, b.made_by));
}
