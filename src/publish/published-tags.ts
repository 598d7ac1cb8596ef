import type { Catalog, Entry } from "../catalog/catalog.ts";
import type { Finding } from "../errors.ts";
import { layersOf } from "../plan/asked-layers.ts";
import type { Cell } from "../plan/cell.ts";
import type { Product } from "../schemas/types.ts";
import { rankedClaimants, settle } from "./claims.ts";
import { type Combination, combinationsOf, inOtherLayers, proofOf } from "./combination.ts";
import type { Origin } from "./origin.ts";
import { isLatestRelease, type OriginTag, originTags } from "./origin-tags.ts";
import { ownName } from "./own-name.ts";
import { type ProductTags, productTags, suffixTaken } from "./product-tags.ts";

/** A tag and what it stands for. */
export interface TagEntry {
  product_id: string;
  /** `registry.example/team/python:3.13`. */
  ref: string;
  kind: OriginTag["kind"] | "exact" | "moving";
  /** The cell of its first platform, and those of all platforms. */
  cell_id: string;
  cell_ids: string[];
  /** The records that prove it, one per platform; empty if something is not proven. */
  record_ids: string[];
  /** Only where its images are those of the product's `repack`. */
  repacked?: true;
}

/** What a product publishes. */
interface Published {
  product: Entry<Product>;
  combinations: readonly Combination[];
}

/** What products publish. @param cells those of the plans of each manifest, by the manifest */
export function publishedOf(
  catalog: Catalog,
  products: readonly Entry<Product>[],
  cells: ReadonlyMap<string, readonly Cell[]>,
): Published[] {
  return products.map((product) => {
    const own = cells.get(product.document.manifest_id) ?? [];
    return { product, combinations: combinationsOf(catalog, product.document, own) };
  });
}

export interface TagList {
  tags: TagEntry[];
  /** What cannot be published, and why. */
  missing: { what: string; why: string }[];
  /** Tags of repacked images that save too little to be published. */
  kept_back: { what: string; why: string }[];
  findings: Finding[];
}

/** The kinds of tags that name one commit, and are not meant to stay. */
export const OF_A_COMMIT: ReadonlySet<TagEntry["kind"]> = new Set(["pr", "branch", "sha"]);

const unique = <T>(all: readonly T[]): T[] => [
  ...new Map(all.map((one) => [JSON.stringify(one), one])).values(),
];

/** What tells a product's combinations apart, by combination: its first tag that does, else the ids of cells. */
function suffixesOf({ claims }: ProductTags, combinations: readonly Combination[]): Map<Combination, string> {
  const exact = new Map<Combination, string>();
  for (const { claimants, tag, moves } of claims) {
    const [only, ...more] = claimants;
    if (only && more.length === 0 && !moves && !exact.has(only)) exact.set(only, tag);
  }
  const all = combinations.every((one) => exact.has(one));
  return all ? exact : new Map(combinations.map((one) => [one, ownName(one.first)]));
}

/** The combination that the product calls `latest`, proven or not: it has the tags of a commit without a suffix as well. */
function latestOf({ claims }: ProductTags, catalog: Catalog): Combination | undefined {
  const claim = claims.find(({ tag }) => tag === "latest");
  return claim && rankedClaimants(claim, catalog.fragmentScheme)[0];
}

/**
 * The tags of a product's repacked images: beside each tag that names proven images and is meant to stay, one of the same images in
 * other layers.
 */
function repackedTags(
  { document: { repack }, place }: Entry<Product>,
  tags: readonly TagEntry[],
  holders: ReadonlyMap<string, Combination>,
): TagList {
  const found: TagList = { tags: [], missing: [], kept_back: [], findings: [] };
  const suffix = repack && layersOf(repack).tag_suffix;
  for (const one of suffix === undefined ? [] : tags) {
    const holder = holders.get(one.ref);
    if (!holder || one.record_ids.length === 0 || OF_A_COMMIT.has(one.kind)) continue;
    const what = `${one.ref}${suffix}`;
    if (holders.has(what)) found.findings.push(suffixTaken(what, place));
    const { layered, kept_back } = inOtherLayers(holder);
    const proof = proofOf(layered);
    if (kept_back !== null) found.kept_back.push({ what, why: kept_back });
    else if ("why" in proof) found.missing.push({ what, why: `in other layers, ${proof.why}` });
    else found.tags.push({ ...one, ref: what, record_ids: proof.record_ids, repacked: true });
  }
  return found;
}

/** The tags of one product, those by origin first, `latest` last. */
function ofProduct(
  catalog: Catalog,
  { product, combinations }: Published,
  { origin, gitTags }: { origin: Origin; gitTags: readonly string[] },
): TagList {
  const { product_id, repository } = product.document;
  const own = productTags(catalog, product, combinations);
  const tags: TagEntry[] = [];
  const missing: TagList["missing"] = [];
  const known = new Map<string, Combination>();
  const findings = [...own.findings];
  const give = (tag: string, kind: TagEntry["kind"], one: Combination, record_ids: string[]) => {
    const ref = `${repository}:${tag}`;
    const before = known.get(ref);
    if (before && before !== one)
      findings.push({
        code: "TAG_COLLISION",
        what: `both ${before.first.cell_id} and ${one.first.cell_id} would be \`${ref}\``,
        where: product.place(["tags"]),
        fix: "give one of the product's tags another name",
      });
    if (before) return;
    known.set(ref, one);
    // Of one platform, several plans may have the same cell by different ids: the first counts.
    const cell_ids = one.cells.flatMap(({ platform, cell_id }, at) =>
      one.cells[at - 1]?.platform === platform ? [] : cell_id,
    );
    tags.push({ product_id, ref, kind, cell_id: one.first.cell_id, cell_ids, record_ids });
  };
  const giveOrigin = (one: Combination, tags: readonly OriginTag[]) => {
    const proof = proofOf(one);
    for (const { tag, kind } of tags) {
      give(tag, kind, one, "record_ids" in proof ? proof.record_ids : []);
      if ("why" in proof) missing.push({ what: `${repository}:${tag}`, why: proof.why });
    }
  };
  const [only, ...more] = combinations;
  const foremost = more.length === 0 ? only : latestOf(own, catalog);
  if (foremost) giveOrigin(foremost, originTags(origin, null, gitTags));
  if (more.length > 0)
    for (const [one, suffix] of suffixesOf(own, combinations))
      giveOrigin(one, originTags(origin, suffix, gitTags));
  if (only && more.length === 0 && isLatestRelease(origin, gitTags))
    giveOrigin(only, [{ tag: "latest", kind: "latest" }]);
  if (origin.publishes) {
    missing.push(...own.missing);
    for (const claim of own.claims) {
      const { tag, kind, holder, why } = settle(claim, proofOf, catalog.fragmentScheme);
      if (holder) give(tag, kind, holder.combination, holder.record_ids);
      if (why === null) continue;
      const stays = holder ? `${holder.combination.first.cell_id} has it, since ` : "";
      missing.push({ what: `${repository}:${tag}`, why: `${stays}${why}` });
    }
  }
  const isLatest = ({ ref }: TagEntry) => ref === `${repository}:latest`;
  const sorted = [...tags.filter((tag) => !isLatest(tag)), ...tags.filter(isLatest)];
  const repacked = repackedTags(product, sorted, known);
  return {
    tags: [...repacked.tags, ...sorted],
    missing: unique([...missing, ...repacked.missing]),
    kept_back: repacked.kept_back,
    findings: unique([...findings, ...repacked.findings]),
  };
}

/** Findings about tags that two products give to different cells. */
function sharedFindings(
  lists: readonly { product: Entry<Product>; refs: ReadonlyMap<string, string> }[],
): Finding[] {
  const seen = new Map<string, { cells: string; id: string }>();
  return lists.flatMap(({ product, refs }) =>
    [...refs].flatMap(([ref, cells]): Finding[] => {
      const before = seen.get(ref);
      if (!before) seen.set(ref, { cells, id: product.document.product_id });
      if (!before || before.cells === cells) return [];
      return [
        {
          code: "TAG_COLLISION",
          what: `the products ${before.id} and ${product.document.product_id} both give the tag \`${ref}\`, to different cells`,
          where: product.place(["repository"]),
          fix: "give one of them another repository, or other tags",
        },
      ];
    }),
  );
}

/** The tags of products, one product after the other. */
export function tagList(
  catalog: Catalog,
  products: readonly Published[],
  about: { origin: Origin; gitTags: readonly string[] },
): TagList {
  const lists = products.map((one) => ({ product: one.product, ...ofProduct(catalog, one, about) }));
  const shared = lists.map(({ product, tags }) => ({
    product,
    refs: new Map(
      tags.map(({ ref, cell_ids, repacked }) => [
        ref,
        `${cell_ids.join(" ")}${repacked ? ", repacked" : ""}`,
      ]),
    ),
  }));
  return {
    tags: lists.flatMap(({ tags }) => tags),
    missing: lists.flatMap(({ missing }) => missing),
    kept_back: lists.flatMap(({ kept_back }) => kept_back),
    findings: [...lists.flatMap(({ findings }) => findings), ...sharedFindings(shared)],
  };
}

/** Findings about the tags of products, whatever is proven and wherever images come from. */
export function tagFindings(catalog: Catalog, products: readonly Published[]): Finding[] {
  const made = products.map(({ product, combinations }) => ({
    product,
    ...productTags(catalog, product, combinations),
  }));
  const shared = made.map(({ product, claims }) => ({
    product,
    refs: new Map(
      claims.flatMap(({ tag, claimants }) => {
        const { repository, repack } = product.document;
        const cells = claimants.map(({ first }) => first.cell_id).join(" ");
        const own: [string, string] = [`${repository}:${tag}`, cells];
        return repack ? [own, [`${own[0]}${layersOf(repack).tag_suffix}`, `${cells}, repacked`]] : [own];
      }),
    ),
  }));
  return [...made.flatMap(({ findings }) => findings), ...sharedFindings(shared)];
}
