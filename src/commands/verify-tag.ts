import type { OpenCatalog } from "../catalog/open.ts";
import { type ImageReference, referenceText } from "../model/image-reference.ts";
import type { Link } from "../proof/proof-link.ts";
import type { Verified } from "../proof/verify-image.ts";
import { channelRef } from "../publish/channel.ts";
import type { Product } from "../schemas/types.ts";
import type { Context } from "./context.ts";
import { planOf } from "./planning.ts";

interface TagOptions {
  catalog: OpenCatalog | null;
  /** Whose tag it may be; null if it is not to be compared with what that product has now. */
  product: Product | null;
  isNow: boolean;
  locked?: boolean;
}

const made = (status: Link["status"], why: string): Link[] => [{ link: "tag", status, why }];

/** What a product says that a tag is to name; undefined if it is none of its tags. */
async function productTag(
  context: Context,
  ref: string,
  { product_id, channels = {} }: Product,
  locked: boolean | undefined,
): Promise<Link[] | undefined> {
  const [{ publicTags }, { planChanges }, { recordReader }] = await Promise.all([
    import("./public-tags.ts"),
    import("../publish/tag-changes.ts"),
    import("./publish.ts"),
  ]);
  const { list, catalog } = await publicTags(context, {
    product: product_id,
    ignoresEvent: true,
    needPushed: true,
    locked,
  });
  const product = catalog.product(product_id).document;
  const names = (published: string) => [
    published,
    ...Object.keys(channels).map((channel) => channelRef(product, channel, published)),
  ];
  const lack = list.missing.find(({ what }) => names(what).includes(ref));
  if (lack) return made("broken", `${product_id} has nothing proven for it: ${lack.why}`);
  const own = list.tags.find((tag) => names(tag.ref).includes(ref));
  if (!own) return undefined;
  const registries = await (await context.world()).publishing({ waitMs: 0 });
  const plan = await planChanges([{ ref, record_ids: own.record_ids }], recordReader(context), registries);
  const [change, lacking] = [plan.changes[0], plan.missing[0]];
  if (change)
    return made(
      "broken",
      `it names ${change.from ?? "nothing"}, and ${product_id} has proven ${change.to} for it`,
    );
  if (lacking) return made("broken", lacking.why);
  return made("ok", `it names what ${product_id} has proven for it`);
}

/** Whether a tag names what it is to name, by whoever knows that: the reference, a product, the cells, or the record. */
export async function tagLinks(
  context: Context,
  reference: ImageReference,
  { records, digest }: Verified,
  { catalog, product, isNow, locked }: TagOptions,
): Promise<Link[]> {
  const { tag } = reference;
  if (tag === null) return [];
  const ref = referenceText({ ...reference, digest: null });
  if (reference.digest !== null) {
    const { repository, again, signal } = await (await context.world()).registries();
    const now = await again(() => repository(reference).headManifest(tag, { signal }));
    if (now !== digest) return made("broken", `${ref} names ${now ?? "nothing"}, and not ${digest}`);
  }
  const told = product && (await productTag(context, ref, product, locked));
  if (told) return told;
  const [first] = records;
  if (!first) return made("unchecked", "without a record nothing says what it is to name");
  const { record } = first;
  if (record.image.ref === ref) return made("ok", `${record.record_id} names it so`);
  if (catalog && isNow && catalog.manifestIds().includes(record.manifest_id)) {
    const { cells } = await planOf(context, {
      all: true,
      filter: [`manifest=${record.manifest_id}`],
      locked,
    });
    const other = cells.find(({ cell }) => cell.tags.includes(ref) && cell.cell_id !== record.cell_id);
    if (other)
      return made(
        "broken",
        `it is the tag of ${other.cell.cell_id}, and names the image of ${record.cell_id}`,
      );
  }
  return made("unchecked", "nothing here says what it is to name");
}
