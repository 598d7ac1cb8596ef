import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import type { PlanRequest } from "./space.ts";

/** What to plan. */
export interface Named {
  planId?: string;
  manifestId?: string;
  /** Every plan of the workspace, and every manifest that has none. */
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

/** What to plan: one plan, one manifest by itself, or everything. @throws FactoryError USAGE */
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
  const known = everything(catalog);
  if (!all || known.length === 0) {
    const names = catalog.planIds();
    throw new FactoryError("USAGE", known.length === 0 ? "there is nothing to plan" : "no plan is named", {
      fix: `name one of: ${names.join(", ") || "(there are no plans)"}; or pass --manifest-id`,
    });
  }
  const wanted = filtered(catalog, filter);
  const chosen = known.filter(({ over }) => wanted?.has(over) ?? true);
  if (chosen.length === 0) {
    throw new FactoryError("USAGE", `no plan is over ${[...(wanted ?? [])].join(", ")}`, {
      fix: `there are: ${known.map(nameOf).join(", ")}`,
    });
  }
  return chosen.map(({ request }) => request);
}

interface Everything {
  request: PlanRequest;
  /** The manifest that it is over. */
  over: string;
}

const nameOf = ({ request }: Everything): string =>
  "planId" in request ? request.planId : request.manifestId;

/** Every plan, then each manifest by itself that no plan is over, unless it says `planned: false`. */
function everything(catalog: OpenCatalog): Everything[] {
  const plans = catalog
    .planIds()
    .map((planId): Everything => ({ request: { planId }, over: catalog.plan(planId).document.manifest_id }));
  const covered = new Set(plans.map(({ over }) => over));
  const alone = catalog
    .imageIds()
    .filter((id) => !covered.has(id))
    .filter((id) => catalog.manifest(id).document.planned !== false)
    .map((manifestId): Everything => ({ request: { manifestId }, over: manifestId }));
  return [...plans, ...alone];
}
