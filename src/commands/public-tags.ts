import type { Entry } from "../catalog/catalog.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { checkProduct } from "../catalog/product-rules.ts";
import { checkChannels } from "../catalog/channel-rules.ts";
import { errorOf, FactoryError } from "../errors.ts";
import type { Cell } from "../plan/cell.ts";
import { type Origin, originOf } from "../publish/origin.ts";
import { publishedOf, tagList, type TagList } from "../publish/published-tags.ts";
import type { Product } from "../schemas/types.ts";
import type { Context } from "./context.ts";
import { planOf } from "./planning.ts";

export interface PublicTagsOptions {
  product?: string;
  /** A file with the CI event; `-` for stdin. */
  event?: string;
  /** Whether the tags are those of a person's machine, whatever a CI job runs for. */
  ignoresEvent?: boolean;
  locked?: boolean;
  /** Whether an image has to have been pushed to count as proven. */
  needPushed?: boolean;
  /** Whether the tags can be told although nothing is known to be proven. */
  evenUnproven?: boolean;
}

/** The public tags of products. */
export interface PublicTags {
  catalog: OpenCatalog;
  products: readonly Entry<Product>[];
  /** The cells of their manifests' plans, by the manifest. */
  cells: ReadonlyMap<string, readonly Cell[]>;
  list: TagList;
  origin: Origin;
  gitTags: readonly string[];
}

/** The cells of a manifest's plans, or of the manifest by itself, with what the records prove about them. */
async function cellsOf(
  context: Context,
  catalog: OpenCatalog,
  manifestId: string,
  { locked = false, needPushed = false, evenUnproven = false }: PublicTagsOptions,
): Promise<Cell[]> {
  const planned = catalog.planIds().some((id) => catalog.plan(id).document.manifest_id === manifestId);
  const named = planned ? { all: true, filter: [`manifest=${manifestId}`] } : { manifestId };
  try {
    const { cells } = await planOf(context, { ...named, locked, reuse: true, needPushed, onlyProven: true });
    return cells.map(({ cell }) => cell);
  } catch (error) {
    // Without an engine that says what a base is, nothing is proven; the names are the same.
    if (!evenUnproven || !(error instanceof FactoryError) || error.exitCode !== 3) throw error;
    context.say(`warning: ${error.message}; nothing counts as proven`);
    const { cells } = await planOf(context, { ...named, locked });
    return cells.map(({ cell }) => cell);
  }
}

/**
 * The public tags of all products, or of one.
 * @throws FactoryError UNKNOWN_PRODUCT, EVENT_INVALID, all findings of the products and their tags; as planOf
 */
export async function publicTags(context: Context, options: PublicTagsOptions): Promise<PublicTags> {
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const event = options.ignoresEvent ? null : world.ciEvent(options.event, context.cwd);
  const git = await world.gitNames(catalog.root);
  const origin = originOf(event, git);
  if (event && git.commit !== null && origin.commit !== null && git.commit !== origin.commit)
    context.say(`note: the event is about ${origin.commit}, and ${git.commit} is checked out`);
  const ids = options.product === undefined ? catalog.productIds() : [options.product];
  const products = ids.map((id) => catalog.product(id));
  const plans = new Map(catalog.planIds().map((id) => [id, catalog.loadFile("plan", id)]));
  const unsound = products.flatMap(({ document: { product_id, manifest_id } }) => {
    const product = catalog.loadFile("product", product_id);
    return [
      ...checkProduct(catalog, product, catalog.loadManifest(manifest_id), plans),
      ...checkChannels(catalog, product),
    ];
  });
  if (unsound.length > 0) throw errorOf(unsound);

  const cells = new Map<string, Cell[]>();
  for (const { document } of products) {
    const { manifest_id } = document;
    if (!cells.has(manifest_id))
      cells.set(manifest_id, await cellsOf(context, catalog, manifest_id, options));
  }
  const gitTags = git.tags;
  const list = tagList(catalog, publishedOf(catalog, products, cells), { origin, gitTags });
  if (list.findings.length > 0) throw errorOf(list.findings);
  return { catalog, products, cells, list, origin, gitTags };
}
