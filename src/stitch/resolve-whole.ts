import type { Catalog } from "../catalog/catalog.ts";
import { errorOf, type Finding } from "../errors.ts";
import { mergeArgs, resolveArgs } from "./args.ts";
import type { Choice, Resolved } from "./choice.ts";
import { checkContracts, platformFindings } from "./contracts.ts";
import { pickFragments, pickTemplate } from "./pick.ts";
import { pieceOf } from "./piece.ts";
import { fillSlots } from "./slots.ts";

/**
 * Resolves a choice with all that there is to say about it.
 * @throws FactoryError with all findings: ranges, slots, requirements, conflicts, platforms and arguments
 */
export function resolveWhole(catalog: Catalog, manifestId: string, choice: Choice): Resolved {
  const manifest = catalog.manifest(manifestId);
  const findings: Finding[] = [];
  const fragments = pickFragments(catalog, manifest, choice, findings);
  const template = pickTemplate(catalog, manifest, choice.pick);
  if ("code" in template) throw errorOf([...findings, template]);
  const ordered = fillSlots(template, fragments, manifest, findings);
  checkContracts(fragments, manifest, findings);
  findings.push(
    ...platformFindings({ manifest, fragments }, choice.platforms ?? manifest.document.platforms ?? []),
  );
  const args = resolveArgs(
    manifest,
    ordered.length === fragments.length ? ordered : fragments,
    choice.args ?? {},
  );
  findings.push(...args.findings);
  // What an unknown fragment would have filled or declared is not known: these would be echoes of its own finding.
  const isWhole = fragments.length === Object.keys(manifest.document.fragments).length;
  const own = isWhole
    ? findings
    : findings.filter(({ code }) => code !== "SLOT_EMPTY" && code !== "ARG_UNDECLARED");
  if (own.length > 0) throw errorOf(own);
  return {
    manifest,
    template,
    fragments: ordered,
    pieces: ordered.map((entry, at) => pieceOf(catalog, entry, args.values[at] ?? {})),
    base: choice.base ?? manifest.document.base,
    args: Object.freeze(mergeArgs(args.values)),
  };
}
