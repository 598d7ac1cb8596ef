import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import type { PlannedCell } from "./cell.ts";
import { expand } from "./expand.ts";
import type { Given, PlanRequest } from "./space.ts";

/**
 * A cell of any plan over its manifest, or of the manifest by itself; null if none has it.
 * @throws FactoryError as expand, where a plan that may have it cannot be expanded
 */
export function oneCell(
  catalog: OpenCatalog,
  { manifest_id, cell_id }: { manifest_id: string; cell_id: string },
  given: Given,
): PlannedCell | null {
  const plans = catalog.planIds().filter((id) => catalog.plan(id).document.manifest_id === manifest_id);
  const requests: PlanRequest[] = [...plans.map((planId) => ({ planId })), { manifestId: manifest_id }];
  let failure: FactoryError | undefined;
  for (const request of requests) {
    try {
      const found = expand(catalog, request, given).cells.find(({ cell }) => cell.cell_id === cell_id);
      if (found) return found;
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      failure ??= error;
    }
  }
  if (failure) throw failure;
  return null;
}
