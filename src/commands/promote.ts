import type { Missing } from "../publish/tag-changes.ts";
import type { CommandResult, Context } from "./context.ts";
import { promotionsOf } from "./promotions.ts";
import { move, type MovingOptions } from "./publish.ts";

export interface PromoteOptions extends MovingOptions {
  product: string;
  to: string;
  locked?: boolean;
}

/** `factory promote`: moves what is published to a channel, by digest, where the policy has nothing against it. */
export async function promote(context: Context, options: PromoteOptions): Promise<CommandResult> {
  const { product: id, to, locked } = options;
  const { product, channels, missing } = await promotionsOf(context, { product: id, names: [to], locked });
  const tags = channels.flatMap((state) => state.tags);
  const lacking = tags.flatMap(({ ref, lacks }): Missing[] => lacks.map((why) => ({ what: ref, why })));
  const wanted = tags
    .filter(({ lacks }) => lacks.length === 0)
    .map(({ ref, source, records }) => ({
      ref,
      source,
      record_ids: records.map(({ record_id }) => record_id),
    }));
  context.say(`${product.product_id}: ${wanted.length} of ${tags.length} tags may be promoted to ${to}`);
  return move(context, wanted, [...missing, ...lacking], options);
}
