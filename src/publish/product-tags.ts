import type { Catalog, Entry } from "../catalog/catalog.ts";
import type { Scheme } from "../catalog/schemes/scheme.ts";
import { SCHEMES } from "../catalog/schemes/schemes.ts";
import type { Finding } from "../errors.ts";
import { isTag } from "../model/image-reference.ts";
import { readTag, type TagPart } from "../model/tag-template.ts";
import { quoted } from "../model/visible.ts";
import { layersOf } from "../plan/asked-layers.ts";
import type { Cell } from "../plan/cell.ts";
import { type Condition, conditionsOf, holds } from "../plan/selectors.ts";
import type { Product } from "../schemas/types.ts";
import { type Claim, equalClaims } from "./claims.ts";
import type { Combination } from "./combination.ts";
import { argOfCell, renderTag } from "./render-tag.ts";

/** What a product's tags come to, before anything is proven. */
export interface ProductTags {
  claims: Claim[];
  /** Tags that a combination cannot have, since it lacks what the tag names. */
  missing: { what: string; why: string }[];
  findings: Finding[];
}

interface Template {
  text: string;
  parts: readonly TagPart[];
  conditions: readonly [string, Condition][];
  /** Its place in the product's list. */
  at: number;
}

function templatesOf({ tags = ["latest"] }: Product): Template[] {
  return tags.map((item, at) => {
    const text = typeof item === "string" ? item : item.tag;
    return {
      text,
      parts: readTag(text),
      conditions: typeof item === "string" ? [] : conditionsOf(item.when),
      at,
    };
  });
}

/** The fragments that a tag names. */
function fragmentsIn(parts: readonly TagPart[]): string[] {
  return parts.flatMap((part) => (typeof part === "object" && part.kind === "fragment" ? part.name : []));
}

/** A tag that names no whole version goes on to the next one. */
function movesOn(parts: readonly TagPart[]): boolean {
  return !parts.some(
    (part) => typeof part === "object" && part.kind === "fragment" && part.field === "version",
  );
}

/** Whether a cell is one of those that a tag is for. */
function fulfils(
  cell: Cell,
  conditions: Template["conditions"],
  schemeOf: (name: string) => Scheme,
): boolean {
  const { fragments, base, named = {} } = cell;
  const valueOf = (name: string) => {
    if (name === "base") return base.ref;
    if (name.startsWith("args.")) return argOfCell(cell, name.slice("args.".length));
    return Object.hasOwn(fragments, name) ? fragments[name] : named[name];
  };
  return conditions.every(([name, condition]) => {
    const value = valueOf(name);
    const scheme = (one: string) => (Object.hasOwn(named, one) ? SCHEMES.opaque : schemeOf(one));
    return value !== undefined && holds(name, value, condition, scheme);
  });
}

/** For the tag of a repacked image that is the tag of another image as well. @param ref that tag */
export function suffixTaken(ref: string, place: Entry<Product>["place"]): Finding {
  return {
    code: "TAG_COLLISION",
    what: `${quoted(ref)} would be both an image as it was built and a repacked one`,
    where: place(["repack"]),
    fix: "say another `tag_suffix` under `repack`, or give the product's tag another name",
  };
}

/** What is wrong with the tags of a product's repacked images. */
function suffixFindings({ document, place }: Entry<Product>, tags: readonly string[]): Finding[] {
  const { repack, repository } = document;
  if (!repack) return [];
  const known = new Set(tags);
  const { tag_suffix } = layersOf(repack);
  return tags.flatMap((tag): Finding[] => {
    const own = `${tag}${tag_suffix}`;
    if (known.has(own)) return [suffixTaken(`${repository}:${own}`, place)];
    if (isTag(own)) return [];
    return [
      {
        code: "TAG_INVALID",
        what: `${quoted(own)}, for the repacked image of ${quoted(tag)}, is no tag`,
        where: place(["repack"]),
        fix: "a tag has at most 128 characters: say a shorter `tag_suffix` under `repack`",
      },
    ];
  });
}

/**
 * Which combinations could have which of a product's tags. A finding for a text that is no tag, and for two combinations
 * with the same versions that have one tag.
 */
export function productTags(
  catalog: Catalog,
  entry: Entry<Product>,
  combinations: readonly Combination[],
): ProductTags {
  const { document: product, place } = entry;
  const schemeOf = catalog.fragmentScheme;
  const templates = templatesOf(product);
  const named = templates.flatMap(({ parts }) => fragmentsIn(parts));
  const inOrder = Object.keys(combinations[0]?.first.fragments ?? {});
  const claims = new Map<string, Omit<Claim, "claimants"> & { claimants: Set<Combination>; at: number }>();
  const missing: ProductTags["missing"] = [];
  const findings: Finding[] = [];
  for (const { text, parts, conditions, at } of templates) {
    const order = [...new Set([...fragmentsIn(parts), ...named, ...inOrder])];
    const wanted = combinations.filter(({ first }) => fulfils(first, conditions, schemeOf));
    if (wanted.length === 0 && combinations.length > 0)
      findings.push({
        code: "RULE_UNUSED",
        what: `\`when\` of ${quoted(text)} matches no cell of the product`,
        where: place(["tags", at, "when"]),
        fix: "correct its values, or remove the tag",
      });
    const lacking = new Map<string, string[]>();
    for (const combination of wanted) {
      const { first } = combination;
      const rendered = renderTag(parts, first, schemeOf);
      if ("lacks" in rendered) {
        const cells = lacking.get(rendered.lacks) ?? [];
        lacking.set(rendered.lacks, cells);
        cells.push(first.cell_id);
      } else if (!isTag(rendered.tag)) {
        findings.push({
          code: "TAG_INVALID",
          what: `${quoted(text)} becomes ${quoted(rendered.tag)} for ${first.cell_id}, which is no tag`,
          where: place(["tags", at]),
          fix: "a tag has at most 128 letters, digits, `_`, `.` and `-`, and starts with none of the last two",
        });
      } else {
        const { tag } = rendered;
        const claim = claims.get(tag) ?? { tag, claimants: new Set(), order, moves: movesOn(parts), at };
        claims.set(tag, claim);
        claim.claimants.add(combination);
      }
    }
    for (const [name, [first = "", ...more]] of lacking) {
      const cells = more.length === 0 ? `${first} has` : `${first} and ${more.length} more have`;
      missing.push({ what: `${product.repository}:${text}`, why: `${cells} no \`${name}\`` });
    }
  }
  const made: Claim[] = [];
  for (const { at, claimants, ...rest } of claims.values()) {
    const claim = { ...rest, claimants: [...claimants] };
    made.push(claim);
    const equal = equalClaims(claim, schemeOf);
    if (!equal) continue;
    const [a, b] = equal.map(({ first }) => first.cell_id);
    findings.push({
      code: "TAG_COLLISION",
      what: `both ${a} and ${b} would be ${quoted(`${product.repository}:${claim.tag}`)}, and neither has the higher version`,
      where: place(["tags", at]),
      fix: "write what differs into the tag, such as `{{variant}}`, or say with `when:` which of the cells have it",
    });
  }
  findings.push(...suffixFindings(entry, [...claims.keys()]));
  return { claims: made, missing, findings };
}
