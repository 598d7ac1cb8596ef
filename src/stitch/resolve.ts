import type { Catalog } from "../catalog/catalog.ts";
import type { Choice, Resolved } from "./choice.ts";
import { unlessRefused } from "./memo.ts";
import { resolveKnown } from "./resolve-known.ts";
import { resolveWhole } from "./resolve-whole.ts";

export type { Choice, Resolved } from "./choice.ts";

/**
 * Chooses one version of the template and of each fragment, fills the slots, and gives every argument a value.
 * Platforms that are not chosen are the manifest's.
 * @throws FactoryError with all findings: ranges, slots, requirements, conflicts, platforms and arguments
 */
export function resolve(catalog: Catalog, manifestId: string, choice: Choice = {}): Resolved {
  return (
    unlessRefused(() => resolveKnown(catalog, manifestId, choice)) ??
    resolveWhole(catalog, manifestId, choice)
  );
}
