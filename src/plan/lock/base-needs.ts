import type { Catalog } from "../../catalog/catalog.ts";
import { errorOf, type Finding } from "../../errors.ts";
import { manifestOfRef } from "../../model/parent.ts";
import type { Pins } from "../axes.ts";
import { basesOf } from "../bases.ts";
import { type LockNeed, type Needs, needsOf } from "./needs.ts";
import { collect, distinct, requestsFor } from "./sources.ts";
import { readSpace } from "../space.ts";

/** Whether a base's digest need not be looked up: it has none, its reference names it, or it is a manifest's image. */
export function needsNoDigest(ref: string): boolean {
  return ref === "scratch" || ref.includes("@") || manifestOfRef(ref) !== null;
}

/**
 * Every base image that a cell may start from, on each platform. Combinations that rules and contracts forbid are left out:
 * a base need not exist for them.
 * @param pins the versions decide on which platforms fragments work
 * @throws FactoryError with all findings about the plans' axes and rules
 */
export function baseNeeds(catalog: Catalog, pins: Pins, manifestIds?: readonly string[]): Needs {
  const { needs, add } = needsOf<LockNeed>();
  const findings: Finding[] = [];
  for (const request of requestsFor(catalog, manifestIds)) {
    // Ended expectations do not matter for the lock: every day comes after the empty text.
    for (const space of collect(findings, () => readSpace(catalog, request, { today: "", pins }))) {
      for (const { ref, platform, where } of basesOf(space)) {
        if (needsNoDigest(ref)) continue;
        add(space.manifest.document.manifest_id, { kind: "base", name: ref, at: platform, where });
      }
    }
  }
  if (findings.length > 0) throw errorOf(distinct(findings));
  return needs;
}
