import type { Catalog } from "../catalog/catalog.ts";
import { errorOf, type Finding } from "../errors.ts";
import { baseRef, parentIn } from "../model/parent.ts";
import { resolveArgs } from "./args.ts";
import type { Choice, Resolved } from "./choice.ts";
import { rootBase } from "./base-family.ts";
import { baseFindings, checkContracts, platformFindings } from "./contracts.ts";
import { resolveSources } from "./declared-sources.ts";
import { fitVersions } from "./fit-versions.ts";
import { pickFragments, pickTemplate } from "./pick.ts";
import { parentFindings } from "./parent-chain.ts";
import { pieceOf } from "./piece.ts";
import { fillSlots } from "./slots.ts";

export type { Choice, Resolved } from "./choice.ts";

/** Findings that may be consequences of an unknown fragment, which would have filled or declared what is missing. */
const ECHOES = new Set(["SLOT_EMPTY", "ARG_UNDECLARED", "SOURCE_UNDECLARED"]);

/**
 * Chooses one version of the template and of each fragment, such that they fit together, fills the slots, and gives every argument a value.
 * Without a choice of platforms, the manifest's count.
 * @throws FactoryError with all findings: ranges, slots, requirements, conflicts, platforms, arguments and
 * sources
 */
export function resolve(catalog: Catalog, manifestId: string, choice: Choice = {}): Resolved {
  const manifest = catalog.manifest(manifestId);
  const findings: Finding[] = [];
  const picked = pickFragments(catalog, manifest, choice, findings);
  const template = pickTemplate(catalog, manifest, choice.pick);
  if ("code" in template) throw errorOf([...findings, template]);
  const { fragments, lowered, finding } = fitVersions({ catalog, manifest, template, choice }, picked);
  const ordered = fillSlots(template, fragments, manifest, findings);
  if (finding) findings.push(finding);
  else checkContracts(fragments, manifest, findings);
  const platforms = choice.platforms ?? manifest.document.platforms ?? [];
  platformFindings({ manifest, fragments }, platforms, findings);
  if (fragments.some(({ document }) => document.bases))
    baseFindings(
      { manifest, fragments },
      rootBase(catalog, choice.base ?? baseRef(manifest.document.base)),
      findings,
    );
  const chosen = ordered.length === fragments.length ? ordered : fragments;
  const values = resolveArgs(manifest, chosen, choice.args ?? {}, findings);
  const sources = resolveSources(manifest, chosen, findings);
  const parent = choice.base === undefined ? parentIn(manifest.document.base) : null;
  if (parent !== null) findings.push(...parentFindings(catalog, manifest, platforms));
  if (findings.length > 0) {
    const isWhole = fragments.length === Object.keys(manifest.document.fragments).length;
    throw errorOf(isWhole ? findings : findings.filter(({ code }) => !ECHOES.has(code)));
  }
  const builders = new Set(
    template.document.slots.flatMap(({ name, builder }) => (builder === true ? name : [])),
  );
  const pieces = ordered.map((entry, at) => pieceOf(catalog, entry, values[at] ?? {}, sources[at]));
  return {
    manifest,
    template,
    pieces,
    lowered,
    builders: pieces.filter(({ slot }) => builders.has(slot)).length,
    base: choice.base ?? baseRef(manifest.document.base),
    parent,
    pick: choice.pick,
  };
}
