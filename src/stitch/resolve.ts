import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import { parseTemplateRef } from "../catalog/names.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { isRange, versionsIn } from "../catalog/versions.ts";
import { errorOf, type Finding, type Place } from "../errors.ts";
import type { Fragment, Manifest, Template, Value } from "../schemas/types.ts";
import { resolveArgs } from "./args.ts";
import { checkContracts, label, platformFindings } from "./contracts.ts";

/** What is asked of a manifest beyond what it says itself. */
export interface Choice {
  /** Versions or ranges by fragment name, in place of the manifest's. */
  set?: Readonly<Record<string, string>>;
  /** Argument values as texts, by name. */
  args?: Readonly<Record<string, string>>;
  /** Platforms that every fragment has to work on. Default: the manifest's. */
  platforms?: readonly string[];
}

/** A manifest with every range resolved to one version. */
export interface Resolved {
  manifest: Entry<Manifest>;
  template: FolderEntry<Template>;
  /** In the order of the template's slots, which is that of the Dockerfile. */
  fragments: FolderEntry<Fragment>[];
  /** The fragment in each filled slot. */
  slots: Map<string, FolderEntry<Fragment>>;
  /** Values by fragment name, then argument name. */
  argsByFragment: Map<string, Record<string, Value>>;
  /** All values by argument name, sorted. */
  args: Record<string, Value>;
}

/** The highest of `versions`, sorted by semver, that the range takes, or a finding that names what exists. */
function highest(
  what: string,
  versions: string[],
  range: string,
  where: Place | undefined,
): string | Finding {
  if (!isRange(range)) {
    return {
      code: "RANGE_INVALID",
      what: `${JSON.stringify(range)} is no version and no range of ${what}`,
      where,
      fix: "such as 0.1.0, ~0.1 or `>=0.1 <0.3`",
    };
  }
  const best = versionsIn(range, versions).at(-1);
  if (best !== undefined) return best;
  return {
    code: "RANGE_UNSATISFIED",
    what: `no version of ${what} satisfies \`${range}\``,
    where,
    fix: `there ${versions.length === 1 ? "is" : "are"}: ${versions.join(", ") || "none"}`,
  };
}

function pickFragments(
  catalog: Catalog,
  manifest: Entry<Manifest>,
  set: Readonly<Record<string, string>>,
  findings: Finding[],
) {
  const ranges = manifest.document.fragments;
  for (const name of Object.keys(set)) {
    if (Object.hasOwn(ranges, name)) continue;
    const guess = didYouMean(name, Object.keys(ranges));
    findings.push({
      code: "UNKNOWN_FRAGMENT",
      what: `${manifest.document.manifest_id} has no fragment named \`${name}\``,
      fix: guess ? `did you mean \`${guess}\`?` : `it has: ${Object.keys(ranges).join(", ")}`,
    });
  }
  const fragments: FolderEntry<Fragment>[] = [];
  const known = catalog.fragmentNames();
  for (const [name, own] of Object.entries(ranges)) {
    const chosen = Object.hasOwn(set, name) ? set[name] : undefined;
    const where = chosen === undefined ? manifest.place(["fragments", name]) : undefined;
    if (!known.includes(name)) {
      const guess = didYouMean(name, known);
      findings.push({
        code: "UNKNOWN_FRAGMENT",
        what: `there is no fragment named \`${name}\``,
        where: manifest.place(["fragments", name]),
        fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      });
      continue;
    }
    const version = highest(`the fragment ${name}`, catalog.fragmentVersions(name), chosen ?? own, where);
    if (typeof version === "string") fragments.push(catalog.fragment(name, version));
    else findings.push(version);
  }
  return fragments;
}

function pickTemplate(catalog: Catalog, manifest: Entry<Manifest>): FolderEntry<Template> | Finding {
  // The schema has seen to it that the reference has this form.
  const { id = "", range = "" } = parseTemplateRef(manifest.document.template) ?? {};
  const where = manifest.place(["template"]);
  const known = catalog.templateIds();
  if (!known.includes(id)) {
    const guess = didYouMean(id, known);
    return {
      code: "UNKNOWN_TEMPLATE",
      what: `there is no template named \`${id}\``,
      where,
      fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ") || "none"}`,
    };
  }
  const version = highest(`the template ${id}`, catalog.templateVersions(id), range, where);
  return typeof version === "string" ? catalog.template(id, version) : version;
}

function fillSlots(
  template: FolderEntry<Template>,
  fragments: readonly FolderEntry<Fragment>[],
  manifest: Entry<Manifest>,
  findings: Finding[],
) {
  const slots = new Map<string, FolderEntry<Fragment>>();
  const declared = template.document.slots.map((slot) => slot.name);
  for (const entry of fragments) {
    const slot = entry.document.slot ?? entry.document.name;
    const where = manifest.place(["fragments", entry.document.name]);
    const holder = slots.get(slot);
    if (!declared.includes(slot)) {
      findings.push({
        code: "SLOT_UNKNOWN",
        what: `${label(entry)} fills the slot \`${slot}\`, which ${template.document.template_id}@${template.document.version} does not have`,
        where,
        fix: `its slots are: ${declared.join(", ")}; set \`slot:\` in ${entry.file}, or leave the fragment out`,
      });
    } else if (holder) {
      findings.push({
        code: "SLOT_CLAIMED_TWICE",
        what: `${label(holder)} and ${label(entry)} both fill the slot \`${slot}\``,
        where,
        fix: "keep one of the two",
      });
    } else {
      slots.set(slot, entry);
    }
  }
  for (const [at, slot] of template.document.slots.entries()) {
    if (slots.has(slot.name) || slot.optional) continue;
    findings.push({
      code: "SLOT_EMPTY",
      what: `no fragment fills the slot \`${slot.name}\` of ${template.document.template_id}@${template.document.version}`,
      where: manifest.place(["fragments"]),
      fix: `add a fragment for it, or make the slot optional in ${template.file}:${template.place(["slots", at]).line ?? 1}`,
    });
  }
  const ordered = declared.flatMap((slot) => slots.get(slot) ?? []);
  for (const [at, entry] of ordered.entries()) {
    const before = ordered[at - 1];
    if (!before || before.document.order <= entry.document.order) continue;
    findings.push({
      code: "SLOT_ORDER",
      what: `${label(before)} (order ${before.document.order}) stands before ${label(entry)} (order ${entry.document.order}) in the template`,
      where: entry.place(["order"]),
      fix: "change the order of the one, or of the template's slots",
    });
  }
  return { slots, ordered };
}

/**
 * Chooses one version of the template and of each fragment, fills the slots, and gives every argument a value.
 * @throws FactoryError with all findings: ranges, slots, requirements, conflicts, platforms and arguments
 */
export function resolve(catalog: Catalog, manifestId: string, choice: Choice = {}): Resolved {
  const manifest = catalog.manifest(manifestId);
  const findings: Finding[] = [];
  const fragments = pickFragments(catalog, manifest, choice.set ?? {}, findings);
  const template = pickTemplate(catalog, manifest);
  if ("code" in template) throw errorOf([...findings, template]);
  const { slots, ordered } = fillSlots(template, fragments, manifest, findings);
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
  return { manifest, template, fragments: ordered, slots, argsByFragment: args.byFragment, args: args.all };
}
