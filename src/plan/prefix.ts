import { platformSlug } from "../model/platform.ts";
import type { Prefix } from "../stitch/stitch.ts";
import { tagOf, targetName, type PlannedCell } from "./cell.ts";

/** A chain of fragments on one platform that can be built alone and that cells share. */
export interface PrefixTarget {
  fragment: string;
  /** Name of its bake target. */
  target: string;
  platform: string;
  cache_from: string[];
  cache_to: string[];
  /** A cell whose Dockerfile has this prefix. */
  cell: PlannedCell;
}

function slug({ fragment, version, id }: Prefix, platform: string): string {
  const name = `${fragment}-${version}`.slice(0, 70).replace(/[^A-Za-z0-9_.-]/g, "-");
  return `${name}-${id}-${platformSlug(platform)}`;
}

/** The registry cache ref of a prefix on one platform: two arches never share one, or the last writer would win. */
export function cacheRef(repository: string, prefix: Prefix, platform: string): string {
  return `${repository}:${tagOf(slug(prefix, platform))}`;
}

/** `cache-from` of a chain: every prefix of it, longest first. */
export function cacheFrom(
  repository: string | null,
  prefixes: readonly Prefix[],
  platform: string,
): string[] {
  if (repository === null) return [];
  return prefixes.map((prefix) => `type=registry,ref=${cacheRef(repository, prefix, platform)}`).reverse();
}

/** `cache-to` of a chain: its longest prefix. A registry that is away costs time later, never the build. */
export function cacheTo(repository: string | null, prefixes: readonly Prefix[], platform: string): string[] {
  const last = prefixes.at(-1);
  if (repository === null || !last) return [];
  const ref = cacheRef(repository, last, platform);
  return [`type=registry,ref=${ref},mode=max,oci-mediatypes=true,image-manifest=true,ignore-error=true`];
}

/** The distinct prefixes of the cells, without the cells' own whole chains; in the order of the cells. */
export function prefixTargets(cells: readonly PlannedCell[], cacheRepository: string | null): PrefixTarget[] {
  const targets = new Map<string, PrefixTarget>();
  for (const planned of cells) {
    const { platform } = planned.cell;
    const { prefixes } = planned.stitched;
    for (let length = 1; length < prefixes.length; length += 1) {
      const chain = prefixes.slice(0, length);
      const last = chain.at(-1);
      if (!last) continue;
      const target = targetName(slug(last, platform));
      if (targets.has(target)) continue;
      targets.set(target, {
        fragment: last.fragment,
        target,
        platform,
        cache_from: cacheFrom(cacheRepository, chain, platform),
        cache_to: cacheTo(cacheRepository, chain, platform),
        cell: planned,
      });
    }
  }
  return [...targets.values()];
}
