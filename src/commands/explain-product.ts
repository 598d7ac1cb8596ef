import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";
import { type ChannelState, promotionsOf } from "./promotions.ts";

/** One channel: what is asked, and for each tag whether it may be promoted or what it lacks. */
function channelLines({ channel, policy_id, asked, tags }: ChannelState, context: Context): string[] {
  const { bold, dim, green, yellow } = context.color;
  const { requires, max_age_days, fresh_base } = asked;
  const base = fresh_base ? ", a fresh base" : "";
  const evidence = requires.length === 0 ? "" : `, ${requires.join(", ")}`;
  const says = `a pass on each platform${evidence}, at most ${max_age_days} days old${base}`;
  const rows = tags.map(({ ref, source, records, lacks }) => [
    ref,
    lacks.length === 0 ? green("may") : yellow("may not"),
    lacks[0] ?? `${source}, proven by ${records.map(({ record_id }) => record_id).join(", ")}`,
  ]);
  const more = tags.flatMap(({ ref, lacks }) => lacks.slice(1).map((why) => `  ${ref}: ${why}`));
  return [
    `${bold(channel)} asks for ${says} ${dim(policy_id === null ? "(no policy)" : `(policy ${policy_id})`)}`,
    ...(rows.length === 0
      ? ["  nothing is proven"]
      : [table(["TAG", "PROMOTED", "WHY"], rows, context.columns)]),
    ...more,
  ];
}

/** `factory explain --product`: what each channel of a product asks for, and which of its tags have it. */
export async function explainProduct(
  context: Context,
  { product: id, locked }: { product: string; locked?: boolean },
): Promise<CommandResult> {
  const { product, channels, missing } = await promotionsOf(context, { product: id, locked });
  const parts = channels.map((state) => channelLines(state, context).join("\n"));
  if (parts.length === 0) parts.push(`${product.product_id} has no channels: see docs/publish.md`);
  for (const { what, why } of missing.slice(0, 10)) context.say(`missing: ${what}: ${why}`);
  return { text: parts.join("\n\n"), json: { product_id: product.product_id, channels, missing } };
}
