import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import type { PlanRequest } from "./space.ts";

/** What to plan. */
export interface Named {
  planId?: string;
  manifestId?: string;
  /** Every plan of the workspace. */
  all?: boolean;
  /** `manifest=ID` or `product=ID`, for every plan. */
  filter?: readonly string[];
}

/** The manifests that pass every `--filter`; null without a filter. */
function filtered(catalog: OpenCatalog, filters: readonly string[]): Set<string> | null {
  if (filters.length === 0) return null;
  const manifests = filters.map((filter) => {
    const [, key, id] = /^(manifest|product)=(.+)$/.exec(filter) ?? [];
    if (key === undefined || id === undefined) {
      throw new FactoryError("USAGE", `there is no such filter: ${JSON.stringify(filter)}`, {
        fix: "such as --filter manifest=ID or --filter product=ID",
      });
    }
    return key === "product"
      ? catalog.product(id).document.manifest_id
      : catalog.manifest(id).document.manifest_id;
  });
  return new Set(manifests);
}

/** What to plan: one plan, one manifest by itself, or every plan. @throws FactoryError USAGE */
export function requestsOf(catalog: OpenCatalog, named: Named): PlanRequest[] {
  const { planId, manifestId, all = false, filter = [] } = named;
  if (planId !== undefined && manifestId !== undefined) {
    throw new FactoryError("USAGE", "both a plan and --manifest-id are given", {
      fix: "give one of the two: a plan names its manifest",
    });
  }
  if (filter.length > 0 && (planId !== undefined || manifestId !== undefined))
    throw new FactoryError("USAGE", "--filter chooses among all plans, but one plan is named", {
      fix: "remove one of the two",
    });
  if (planId !== undefined) return [{ planId }];
  if (manifestId !== undefined) return [{ manifestId }];
  const known = catalog.planIds();
  if (!all || known.length === 0) {
    throw new FactoryError("USAGE", known.length === 0 ? "there are no plans" : "no plan is named", {
      fix: `name one of: ${known.join(", ") || "(there are none)"}; or pass --manifest-id`,
    });
  }
  const wanted = filtered(catalog, filter);
  const chosen = known.filter((id) => wanted?.has(catalog.plan(id).document.manifest_id) ?? true);
  if (chosen.length === 0) {
    throw new FactoryError("USAGE", `no plan is over ${[...(wanted ?? [])].join(", ")}`, {
      fix: `there are plans: ${known.join(", ")}`,
    });
  }
  return chosen.map((id) => ({ planId: id }));
}
