import type { CachePlace, CacheUse } from "../model/cache-place.ts";
import { platformSlug } from "../model/platform.ts";
import type { Prefix } from "../stitch/stitch.ts";
import { fromEntry, toEntry } from "./cache-entries.ts";
import type { PlannedCell } from "./cell.ts";
import { tagOf, targetName } from "./cell-names.ts";

/** A chain of fragments on one platform that can be built by itself and that cells share. */
export interface PrefixTarget {
  fragment: string;
  /** The name of its bake target. */
  target: string;
  platform: string;
  cache_from: string[];
  cache_to: string[];
  /** A cell whose Dockerfile has this prefix. */
  cell: PlannedCell;
}

function slug({ fragment, version, id }: Prefix, platform: string): string {
  const name = `${fragment}-${version}`.slice(0, 70).replace(/[^A-Za-z0-9_.-]/g, "-");
  return [name, id, platformSlug(platform)].join("-");
}

/** The ref of a prefix on one platform, as a tag. Two platforms never share one: the last writer would win. */
export function cacheTag(prefix: Prefix, platform: string): string {
  return tagOf(slug(prefix, platform));
}

/** The name of a prefix's bake target. */
export function prefixTarget(prefix: Prefix, platform: string): string {
  return targetName(slug(prefix, platform));
}

/** The name of the bake group with all prefixes that end in a fragment. */
export function prefixGroup(fragment: string): string {
  return `prefix-${targetName(fragment)}`;
}

/** `cache-from` entries by place and platform, then by fragment, version and id: a plan's cells share most of them. */
const entries = new WeakMap<CachePlace, Map<string, Map<string, string>>>();

/** How many entries are kept for a place and platform. Beyond it, all of them are forgotten. */
const MAX_ENTRIES = 50_000;

function knownEntry(place: CachePlace, prefix: Prefix, platform: string): string {
  let platforms = entries.get(place);
  if (!platforms) entries.set(place, (platforms = new Map<string, Map<string, string>>()));
  let known = platforms.get(platform);
  if (!known || known.size >= MAX_ENTRIES) {
    if (platforms.size >= 100) platforms.clear();
    platforms.set(platform, (known = new Map<string, string>()));
  }
  const key = `${prefix.id} ${prefix.version} ${prefix.fragment}`;
  let entry = known.get(key);
  if (entry === undefined) known.set(key, (entry = fromEntry(place, cacheTag(prefix, platform))));
  return entry;
}

/** `cache-from` of a chain: every prefix of it, longest first. */
export function cacheFrom(place: CachePlace | null, prefixes: readonly Prefix[], platform: string): string[] {
  if (place === null) return [];
  return prefixes.map((prefix) => knownEntry(place, prefix, platform)).reverse();
}

/** `cache-to` of a chain: its longest prefix. */
export function cacheTo(place: CachePlace | null, prefixes: readonly Prefix[], platform: string): string[] {
  const last = prefixes.at(-1);
  return place === null || !last ? [] : [toEntry(place, cacheTag(last, platform))];
}

/**
 * Makes a function that says whether a prefix is seen for the first time at a place, such as a platform: most cells of a
 * plan have no new prefix.
 */
export function createSeenPrefixes(): (place: string, prefix: Prefix) => boolean {
  const seen = new Map<string, Map<string, Prefix>>();
  return (place, prefix) => {
    let known = seen.get(place);
    if (!known) seen.set(place, (known = new Map<string, Prefix>()));
    const same = known.get(prefix.id);
    if (same && same.fragment === prefix.fragment && same.version === prefix.version) return false;
    known.set(prefix.id, prefix);
    return true;
  };
}

/** The distinct prefixes of the cells, without the cells' own whole chains; in the order of the cells. */
export function prefixTargets(cells: readonly PlannedCell[], cache: CacheUse | null): PrefixTarget[] {
  const place = cache?.place ?? null;
  const targets = new Map<string, PrefixTarget>();
  const isFirst = createSeenPrefixes();
  for (const planned of cells) {
    const { platform } = planned.cell;
    const { prefixes } = planned.keys;
    for (let at = 0; at < prefixes.length - 1; at += 1) {
      const prefix = prefixes[at];
      if (!prefix || !isFirst(platform, prefix)) continue;
      const target = prefixTarget(prefix, platform);
      if (targets.has(target)) continue;
      const chain = prefixes.slice(0, at + 1);
      targets.set(target, {
        fragment: prefix.fragment,
        target,
        platform,
        cache_from: cacheFrom(place, chain, platform),
        cache_to: cacheTo(cache?.writes === false ? null : place, chain, platform),
        cell: planned,
      });
    }
  }
  return [...targets.values()];
}
