import type { OpenCatalog } from "../catalog/open.ts";
import { checkProduct } from "../catalog/product-rules.ts";
import { errorOf, FactoryError } from "../errors.ts";
import type { Cell } from "../plan/cell.ts";
import { bakeTags } from "../publish/bake-tags.ts";
import { originOf } from "../publish/origin.ts";
import { publishedOf, tagList, type TagList } from "../publish/published-tags.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf } from "./planning.ts";

interface TagsOptions {
  product?: string;
  event?: string;
  locked?: boolean;
  format?: "text" | "json" | "bake";
}

/** How many of the tags that are missing are named on stderr. */
const SHOWN = 10;

/** The cells of a manifest's plans, or of the manifest by itself, with what the records prove about them. */
async function cellsOf(
  context: Context,
  catalog: OpenCatalog,
  manifestId: string,
  locked: boolean,
): Promise<Cell[]> {
  const planned = catalog.planIds().some((id) => catalog.plan(id).document.manifest_id === manifestId);
  const named = planned ? { all: true, filter: [`manifest=${manifestId}`] } : { manifestId };
  try {
    const { cells } = await planOf(context, { ...named, locked, reuse: true });
    return cells.map(({ cell }) => cell);
  } catch (error) {
    // Without an engine that says what a base is, nothing is proven; the names are the same.
    if (!(error instanceof FactoryError) || error.exitCode !== 3) throw error;
    context.say(`warning: ${error.message}; nothing counts as proven`);
    const { cells } = await planOf(context, { ...named, locked });
    return cells.map(({ cell }) => cell);
  }
}

/** Names what is missing. */
function warn({ missing }: TagList, say: Context["say"]): void {
  for (const { what, why } of missing.slice(0, SHOWN)) say(`missing: ${what}: ${why}`);
  if (missing.length > SHOWN) say(`and ${missing.length - SHOWN} more are missing: see --json`);
}

/**
 * `factory tags`: the tags of each product. Its own, from what its cells are, stand for what records prove; those of the
 * commit, from git and the CI event, for the cells as they are planned.
 */
export async function tags(context: Context, options: TagsOptions): Promise<CommandResult> {
  const { product, event: file, locked = false } = options;
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const event = world.ciEvent(file, context.cwd);
  const git = await world.gitNames(catalog.root);
  const origin = originOf(event, git);
  if (event && git.commit !== null && origin.commit !== null && git.commit !== origin.commit)
    context.say(`note: the event is about ${origin.commit}, and ${git.commit} is checked out`);
  const entries = (product === undefined ? catalog.productIds() : [product]).map((id) => catalog.product(id));
  const plans = new Map(catalog.planIds().map((id) => [id, catalog.loadFile("plan", id)]));
  const unsound = entries.flatMap(({ document: { product_id, manifest_id } }) =>
    checkProduct(catalog, catalog.loadFile("product", product_id), catalog.loadManifest(manifest_id), plans),
  );
  if (unsound.length > 0) throw errorOf(unsound);

  const cells = new Map<string, Cell[]>();
  for (const { document } of entries) {
    const { manifest_id } = document;
    if (!cells.has(manifest_id)) cells.set(manifest_id, await cellsOf(context, catalog, manifest_id, locked));
  }
  const published = publishedOf(catalog, entries, cells);
  const list = tagList(catalog, published, { origin, gitTags: git.tags });
  if (list.findings.length > 0) throw errorOf(list.findings);

  const { kind, commit, pull_request, branch, fork } = origin;
  const json = {
    tags: list.tags,
    missing: list.missing,
    origin: { kind, commit, pull_request, branch, fork },
  };
  if (options.format === "bake") {
    const text = bakeTags(list.tags, [...cells.values()].flat());
    return { text, isContent: true, json: { bake: text } };
  }
  if (options.format === "json") return { text: JSON.stringify(json, null, 2), isContent: true, json };
  warn(list, context.say);
  return { text: list.tags.map(({ ref }) => ref).join("\n"), json };
}
