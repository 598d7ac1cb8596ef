import type { Catalog } from "../../catalog/catalog.ts";
import { FactoryError } from "../../errors.ts";
import type { Pins } from "../axes.ts";
import { openImages } from "../bases.ts";
import { expand } from "../expand.ts";
import type { PlanRequest } from "../space.ts";
import { type LockNeed, type Needs, needsOf } from "./needs.ts";
import { sourcesOf } from "./sources.ts";

/**
 * Every image that a Dockerfile of the cells reads: which these are is known when they are stitched. What cannot be
 * planned reads none: its findings come when it is planned.
 * @param pins versions decide which fragments there are
 */
export function imageNeeds(catalog: Catalog, pins: Pins, manifestIds?: readonly string[]): Needs {
  const { manifests, plans } = sourcesOf(catalog, manifestIds);
  const requests: PlanRequest[] = [
    ...manifests.map(({ document }) => ({ manifestId: document.manifest_id })),
    ...plans.map(({ document }) => ({ planId: document.plan_id })),
  ];
  const { needs, add } = needsOf<LockNeed>();
  for (const request of requests) {
    try {
      // Expectations that have ended are no matter of the lock: no day is before the empty text.
      const { cells, manifest_id } = expand(catalog, request, { today: "", pins });
      const where = catalog.manifest(manifest_id ?? "").place(["fragments"]);
      for (const { ref, platform } of openImages(cells))
        add(manifest_id ?? "", { kind: "base", name: ref, at: platform, where });
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
    }
  }
  return needs;
}
