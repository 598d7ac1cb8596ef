import { FactoryError } from "../errors.ts";
import { type Combination, combinationsOf, proofOf } from "../publish/combination.ts";
import type { Missing, Wanted } from "../publish/tag-changes.ts";
import { joinedRef } from "../publish/own-name.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf } from "./planning.ts";
import { move, type MovingOptions } from "./publish.ts";

export interface MergeOptions extends MovingOptions {
  planId?: string;
  product?: string;
  manifestId?: string;
  locked?: boolean;
}

/**
 * `factory merge`: joins the proven images of all platforms of each combination into one index, in the repository of the
 * cells. A combination of which a platform is not proven is left as it is.
 */
export async function merge(context: Context, options: MergeOptions): Promise<CommandResult> {
  const catalog = await context.catalog();
  const { planId, product, manifestId } = options;
  if (product !== undefined && (planId ?? manifestId) !== undefined)
    throw new FactoryError("USAGE", "--product is given beside a plan or a manifest", {
      fix: "give one of them: a product names its manifest and plans",
    });
  const named = planId === undefined && manifestId === undefined ? { all: true } : { planId, manifestId };
  const filter = product === undefined ? undefined : [`product=${product}`];
  const proven = { locked: options.locked, reuse: true, needPushed: true };
  const planned = await planOf(context, { ...named, filter, ...proven });
  const cells = planned.cells.map(({ cell }) => cell);
  const plans = product === undefined ? planId && [planId] : catalog.product(product).document.plans;
  const manifests = [...new Set(cells.map(({ manifest_id }) => manifest_id))];
  const combinations = manifests.flatMap((manifest_id): Combination[] =>
    combinationsOf(catalog, { manifest_id, ...(plans && { plans }) }, cells),
  );
  const wanted: Wanted[] = [];
  const missing: Missing[] = [];
  for (const one of combinations) {
    const proof = proofOf(one);
    if ("why" in proof) missing.push({ what: joinedRef(one), why: proof.why });
    else wanted.push({ ref: joinedRef(one), record_ids: proof.record_ids });
  }
  return move(context, wanted, missing, options);
}
