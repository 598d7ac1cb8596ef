import type { OpenCatalog } from "../catalog/open.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError } from "../errors.ts";
import { listed, quoted } from "../model/visible.ts";
import { channelRef, sourceRef } from "../publish/channel.ts";
import { type ChangePlan, type Missing, planChanges, type Wanted } from "../publish/tag-changes.ts";
import { type Asked, askedBy, type Check, policyOf, promotionChecks } from "../publish/promotion.ts";
import type { FactoryRecord, Product } from "../schemas/types.ts";
import type { Context } from "./context.ts";
import { scans, signatures } from "./promotion-proofs.ts";
import { publicTags } from "./public-tags.ts";
import { recordReader } from "./publish.ts";

/** What a promotion finds about the record of one platform. */
interface Checked {
  record_id: string;
  platform: string;
  checks: Check[];
}

/** One tag of a channel. */
export interface Promoted {
  /** In the channel, and where its image comes from. */
  ref: string;
  source: string;
  records: Checked[];
  /** Why it is not promoted; empty if it may be. */
  lacks: string[];
}

/** One channel of a product, with all of its tags. */
export interface ChannelState {
  channel: string;
  policy_id: string | null;
  asked: Asked;
  tags: Promoted[];
}

/** The channel of a product. @throws FactoryError UNKNOWN_CHANNEL with a "did you mean" */
function checkChannel({ product_id, channels = {} }: Product, channel: string): void {
  if (Object.hasOwn(channels, channel)) return;
  const known = Object.keys(channels);
  const guess = didYouMean(channel, known);
  throw new FactoryError("UNKNOWN_CHANNEL", `the product ${product_id} has no channel ${quoted(channel)}`, {
    fix: guess
      ? `did you mean \`${guess}\`?`
      : known.length === 0
        ? "add `channels:` to the product: see docs/publish.md"
        : `there are: ${listed(known)}`,
  });
}

/** The digests that the tags of bases name now, asked once for each base and platform. */
async function basesNow(
  context: Context,
  records: readonly FactoryRecord[],
): Promise<(record: FactoryRecord) => string | null> {
  const world = await context.world();
  const { baseKey } = await import("../builder/base.ts");
  const refs = records.map(({ base, platform }) => ({ ref: base.ref, platform }));
  const found = await world.baseDigests(refs, { pull: true, signal: context.signal });
  return ({ base, platform }) => found.get(baseKey({ ref: base.ref, platform }))?.digest ?? null;
}

function policySays(catalog: OpenCatalog, policyId: string): ReturnType<Parameters<typeof askedBy>[2]> {
  return catalog.policy(policyId).document.promotion;
}

/** Why the source of a tag is not what its records prove; null if it is. */
function sourceLack(source: string, { changes, missing }: ChangePlan): string | null {
  const lack = missing.find(({ what }) => what === source);
  if (lack) return lack.why;
  const change = changes.find(({ ref }) => ref === source);
  if (!change) return null;
  return change.from === null
    ? `${source} is not there: it has to be published first`
    : `${source} is ${change.from}, and what is proven is ${change.to}: publish it first`;
}

/**
 * What promotions to channels of a product would do, and what its policy says about each tag.
 * @param names the channels; undefined for all
 * @throws FactoryError UNKNOWN_PRODUCT, UNKNOWN_CHANNEL, UNKNOWN_POLICY, REGISTRY_*; as publicTags
 */
export async function promotionsOf(
  context: Context,
  { product: id, names, locked }: { product: string; names?: readonly string[]; locked?: boolean },
): Promise<{ product: Product; channels: ChannelState[]; missing: Missing[] }> {
  const known = (await context.catalog()).product(id).document;
  const channels = names ?? Object.keys(known.channels ?? {});
  for (const channel of channels) checkChannel(known, channel);
  // What an event would publish does not matter: what is published is moved on.
  const { catalog, list } = await publicTags(context, { product: id, locked, ignoresEvent: true });
  const world = await context.world();
  const [recordOf, registries] = [recordReader(context), await world.publishing({ waitMs: 0 })];
  const own = list.tags.filter(({ kind }) => kind === "exact" || kind === "moving");
  const records = await Promise.all([...new Set(own.flatMap(({ record_ids }) => record_ids))].map(recordOf));
  const states: ChannelState[] = [];
  let baseNow: ((record: FactoryRecord) => string | null) | undefined;
  for (const channel of channels) {
    const asked = askedBy(known, channel, (policyId) => policySays(catalog, policyId));
    if (asked.fresh_base) baseNow ??= await basesNow(context, records);
    const signatureOn = asked.requires.includes("signature")
      ? await signatures(context, catalog, policyOf(known, channel))
      : undefined;
    const scanOn = asked.requires.includes("scan")
      ? await scans(context, catalog, {
          policyId: policyOf(known, channel),
          isSigned: asked.requires.includes("signature"),
        })
      : undefined;
    const now = context.now();
    const wanted = own.map(({ ref, record_ids }): Wanted => ({
      ref: sourceRef(known, channel, ref),
      record_ids,
    }));
    const plan = await planChanges(wanted, recordOf, registries);
    const tags = await Promise.all(
      own.map(async ({ ref, record_ids }): Promise<Promoted> => {
        const source = sourceRef(known, channel, ref);
        const checked = await Promise.all(
          record_ids.map(async (record_id): Promise<Checked> => {
            const record = await recordOf(record_id);
            const signature = await signatureOn?.(record, source);
            const checks = promotionChecks(record, asked, {
              now,
              baseNow: baseNow?.(record) ?? null,
              signature,
              scan: await scanOn?.(record, source),
            });
            return { record_id, platform: record.platform, checks };
          }),
        );
        const lack = sourceLack(source, plan);
        const lacks = [
          ...(lack === null ? [] : [lack]),
          ...checked.flatMap(({ platform, checks }) =>
            checks.flatMap(({ link, ok, why }) => (ok ? [] : `${link} on ${platform}: ${why}`)),
          ),
        ];
        return { ref: channelRef(known, channel, ref), source, records: checked, lacks };
      }),
    );
    states.push({ channel, policy_id: policyOf(known, channel) ?? null, asked, tags });
  }
  return { product: known, channels: states, missing: list.missing };
}
