import type { OpenCatalog } from "../catalog/open.ts";
import { type ImageReference, referenceText } from "../model/image-reference.ts";
import type { Link } from "../proof/proof-link.ts";
import type { Verified } from "../proof/verify-image.ts";
import { type Asked, askedBy, policyOf, promotionChecks } from "../publish/promotion.ts";
import { signersOf } from "../publish/trust.ts";
import type { Product } from "../schemas/types.ts";
import type { Signer } from "../tools/cosign.ts";
import type { Context } from "./context.ts";

/** What an image has to satisfy. */
export interface Rules {
  /** The product whose repository it is in; null for a policy by itself. */
  product: Product | null;
  /** The policy, for people; null where only a product's own settings, or nothing, is asked. */
  policyId: string | null;
  asked: Asked;
  signers: readonly Signer[];
}

/**
 * The rules for an image: those of a policy, or of the product that has the repository it is in.
 * @returns null if there are none
 * @throws FactoryError UNKNOWN_POLICY, or findings of a product or policy
 */
export function rulesFor(catalog: OpenCatalog, reference: ImageReference, policy?: string): Rules | null {
  const name = referenceText({ ...reference, tag: null, digest: null });
  const products = catalog.productIds().map((id) => catalog.product(id).document);
  const found = products.flatMap((product): { product: Product; channel: string | null }[] => {
    const channels = Object.entries(product.channels ?? {});
    const own = channels.find(([, channel]) => channel?.repository === name)?.[0];
    if (own !== undefined) return [{ product, channel: own }];
    return product.repository === name ? [{ product, channel: null }] : [];
  })[0];
  const policyId = policy ?? (found ? (policyOf(found.product, found.channel ?? "") ?? null) : null);
  if (!found && policyId === null) return null;
  const document = policyId === null ? null : catalog.policy(policyId).document;
  const by: Product =
    policy === undefined && found ? found.product : { ...ANY, policy: policyId ?? undefined };
  return {
    product: found?.product ?? null,
    policyId,
    asked: askedBy(by, found?.channel ?? "", (id) => catalog.policy(id).document.promotion),
    signers: document ? signersOf(document, catalog.root) : [],
  };
}

const ANY: Product = { schema_version: 1, product_id: "any", manifest_id: "any", repository: "any" };

/** What the rules find about each record, where a policy says any. */
export async function policyLinks(
  context: Context,
  { asked, policyId, product, signers }: Rules,
  { records, links }: Verified,
): Promise<Link[]> {
  if (policyId === null && product?.promotion === undefined) return [];
  const name = policyId ?? `the product ${product?.product_id ?? ""}`;
  const world = await context.world();
  // Proof that cannot be checked is none.
  const unproven = links.flatMap(({ link, platform, status, why }): Link[] =>
    link === "evidence" && status === "unchecked"
      ? [{ link: "policy", platform, status: "broken", why: `${name} asks for proof, and ${why}` }]
      : [],
  );
  const proven = records.map(async ({ record, platform }) => {
    const { base } = record;
    const baseNow = asked.fresh_base
      ? await world.digestNow({ ref: base.ref, platform: record.platform })
      : null;
    const own = links.find((one) => one.link === "signature" && one.platform === platform);
    const signature = {
      ok: signers.length > 0 && own?.status === "ok",
      why: own?.why ?? "it is not signed",
    };
    const checks = promotionChecks(record, asked, { now: context.now(), baseNow, signature });
    const lacks = checks.filter(({ ok }) => !ok).map(({ link, why }) => `${link}: ${why}`);
    return {
      link: "policy",
      platform,
      status: lacks.length === 0 ? ("ok" as const) : ("broken" as const),
      why:
        lacks.length === 0 ? `${name} has nothing against it` : `${name} asks for more: ${lacks.join("; ")}`,
    };
  });
  return [...unproven, ...(await Promise.all(proven))];
}
