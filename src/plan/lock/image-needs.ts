import type { Catalog } from "../../catalog/catalog.ts";
import { FactoryError } from "../../errors.ts";
import type { Pins } from "../axes.ts";
import { openImages } from "../bases.ts";
import { expand } from "../expand.ts";
import { type LockNeed, type Needs, needsOf } from "./needs.ts";
import { requestsFor } from "./sources.ts";

/**
 * Every image that a Dockerfile of the cells reads, which is only known once they are stitched. What cannot be planned
 * gives none here, and its findings when it is planned.
 * @param pins the versions decide which fragments are used
 */
export function imageNeeds(catalog: Catalog, pins: Pins, manifestIds?: readonly string[]): Needs {
  const { needs, add } = needsOf<LockNeed>();
  for (const request of requestsFor(catalog, manifestIds)) {
    try {
      // Ended expectations do not matter for the lock: every day comes after the empty text.
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
