import type { Scheme } from "../catalog/schemes/scheme.ts";
import type { Combination, Proof } from "./combination.ts";

/** Combinations that one tag could stand for. */
export interface Claim {
  tag: string;
  /** Each once. */
  claimants: readonly Combination[];
  /** The fragments whose versions decide, the most important first. */
  order: readonly string[];
  /** Whether it moves on with the next version, although there is only one claimant now. */
  moves: boolean;
}

/** What a tag stands for, or why it stands for nothing. */
export interface Settled {
  tag: string;
  /** `exact`: always this combination; `moving`: the highest proven version. */
  kind: "exact" | "moving";
  holder: { combination: Combination; record_ids: string[] } | null;
  /** Why nothing, or nothing higher, has it; null if the highest claimant has it. */
  why: string | null;
}

type SchemeOf = (fragment: string) => Scheme;

/** By the versions of the fragments in turn. What a scheme does not order is no version: it decides nothing. */
export function compareClaimants(
  a: Combination,
  b: Combination,
  order: readonly string[],
  schemeOf: SchemeOf,
): number {
  for (const name of order) {
    const [left, right] = [a.first.fragments[name], b.first.fragments[name]];
    if (left === undefined || right === undefined || schemeOf(name).partsOf === null) continue;
    const difference = schemeOf(name).compare(left, right);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sorted({ claimants, order }: Claim, schemeOf: SchemeOf): Combination[] {
  return [...claimants].sort((a, b) => compareClaimants(b, a, order, schemeOf));
}

/** Two combinations with the same versions that claim one tag; null if there are none. */
export function equalClaims(claim: Claim, schemeOf: SchemeOf): [Combination, Combination] | null {
  const ranked = sorted(claim, schemeOf);
  for (const [at, one] of ranked.entries()) {
    const next = ranked[at + 1];
    if (next && compareClaimants(one, next, claim.order, schemeOf) === 0) return [one, next];
  }
  return null;
}

/** Whether a combination has a pre-release of something of which others have another version. */
function isAhead(one: Combination, { claimants, order }: Claim, schemeOf: SchemeOf): boolean {
  return order.some((name) => {
    const version = one.first.fragments[name];
    if (version === undefined || schemeOf(name).isRelease(version)) return false;
    return claimants.some((other) => compareClaimants(one, other, [name], schemeOf) !== 0);
  });
}

/** The claimants that may have the tag, the highest first: a pre-release takes no tag from a release. */
export function rankedClaimants(claim: Claim, schemeOf: SchemeOf): Combination[] {
  return sorted(claim, schemeOf).filter((one) => !isAhead(one, claim, schemeOf));
}

/**
 * Which of its claimants a tag stands for: the highest that is proven. A pre-release takes no tag from a release.
 * No two of the claimants may be equal (`equalClaims`). Their order changes nothing.
 */
export function settle(claim: Claim, proofOf: (one: Combination) => Proof, schemeOf: SchemeOf): Settled {
  const { tag, claimants, moves } = claim;
  const kind = moves || claimants.length > 1 ? "moving" : "exact";
  const ranked = rankedClaimants(claim, schemeOf);
  if (ranked.length === 0) return { tag, kind, holder: null, why: "only pre-releases could have it" };
  let why: string | null = null;
  for (const combination of ranked) {
    const proof = proofOf(combination);
    if ("record_ids" in proof) return { tag, kind, holder: { combination, ...proof }, why };
    why ??= proof.why;
  }
  return { tag, kind, holder: null, why };
}
