import { compareText } from "../model/compare.ts";
import type { ReadRef } from "./cache-ref.ts";

/** What may stay of a cache. */
export interface CacheRules {
  /** How many of each fragment on each platform stay, whatever else is said. */
  keep?: number;
  /** What is older goes; in milliseconds. */
  olderThanMs?: number;
  /** The oldest go until the others fit; in bytes, blobs that several have counted once. */
  maxSize?: number;
}

/** A ref that goes, and by which rule. */
export interface Chosen {
  read: ReadRef;
  why: "count" | "age" | "size";
}

/** Bytes of refs together, each blob once. */
export function sizeOfAll(refs: Iterable<ReadRef>): number {
  const blobs = new Map<string, number>();
  for (const { blobs: own } of refs) for (const [digest, size] of own) blobs.set(digest, size);
  let sum = 0;
  for (const size of blobs.values()) sum += size;
  return sum;
}

/** Bytes of refs together while some are taken away. */
function leftOf(refs: readonly ReadRef[]): { size: () => number; remove: (read: ReadRef) => void } {
  const owners = new Map<string, number>();
  let sum = sizeOfAll(refs);
  for (const { blobs } of refs)
    for (const digest of blobs.keys()) owners.set(digest, (owners.get(digest) ?? 0) + 1);
  return {
    size: () => sum,
    remove: ({ blobs }) => {
      for (const [digest, size] of blobs) {
        const left = (owners.get(digest) ?? 0) - 1;
        owners.set(digest, left);
        if (left === 0) sum -= size;
      }
    },
  };
}

const age = ({ ref }: ReadRef): number => (ref.made === null ? Infinity : Date.parse(ref.made));

/** Newest first; equally old ones by their tags. */
const byAge = (a: ReadRef, b: ReadRef): number => age(b) - age(a) || compareText(a.ref.tag, b.ref.tag);

/**
 * Which refs go. Never one that is used, that is no cache or that has no date; and none whose manifest a ref that stays has too, or
 * an index names: a registry deletes a manifest with all its tags. Their order changes nothing.
 * @param isUsed by a plan of now
 * @param now milliseconds since 1970
 */
export function choose(
  refs: readonly ReadRef[],
  isUsed: (tag: string) => boolean,
  { keep, olderThanMs, maxSize }: CacheRules,
  now: number,
): Chosen[] {
  const sorted = [...refs].sort(byAge);
  const ranks = new Map<string, number>();
  const protectedByRank = new Set<ReadRef>();
  const candidates: ReadRef[] = [];
  for (const read of sorted) {
    const { kind, fragment, platform, made, tag } = read.ref;
    const group = `${fragment ?? ""} ${platform ?? ""}`;
    const rank = ranks.get(group) ?? 0;
    if (kind === "cache") ranks.set(group, rank + 1);
    if (keep !== undefined && rank < keep) protectedByRank.add(read);
    else if (kind === "cache" && made !== null && fragment !== null && !isUsed(tag)) candidates.push(read);
  }
  const chosen = new Map<ReadRef, Chosen["why"]>();
  const isAlone = olderThanMs === undefined && maxSize === undefined;
  if (keep !== undefined && isAlone) for (const read of candidates) chosen.set(read, "count");
  if (olderThanMs !== undefined)
    for (const read of candidates) if (age(read) < now - olderThanMs) chosen.set(read, "age");
  if (maxSize !== undefined) {
    const left = leftOf(sorted.filter((read) => !chosen.has(read)));
    for (const read of [...candidates].reverse()) {
      if (left.size() <= maxSize) break;
      if (chosen.has(read)) continue;
      chosen.set(read, "size");
      left.remove(read);
    }
  }
  const holders = new Map<string, ReadRef[]>();
  for (const read of refs)
    for (const digest of [read.ref.digest, ...read.names])
      holders.set(digest, [...(holders.get(digest) ?? []), read]);
  const isHeld = (read: ReadRef) =>
    (holders.get(read.ref.digest) ?? []).some((other) => other !== read && !chosen.has(other));
  // One that is held may have held others.
  for (let before = -1; before !== chosen.size;) {
    before = chosen.size;
    for (const read of [...chosen.keys()]) if (isHeld(read)) chosen.delete(read);
  }
  return sorted.flatMap((read) => {
    const why = chosen.get(read);
    return why === undefined ? [] : [{ read, why }];
  });
}
