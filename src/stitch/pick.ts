import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import { parseTemplateRef } from "../catalog/names.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { type Scheme, SCHEMES } from "../catalog/schemes/schemes.ts";
import { versionsIn } from "../catalog/versions.ts";
import type { Finding, Place } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import type { Choice, PickVersion } from "./choice.ts";
import { keep, ofCatalog } from "./memo.ts";

/** What a version is chosen for. */
interface Wanted {
  what: "fragment" | "template";
  name: string;
  range: string;
  scheme: Scheme;
  /** The place of the range; undefined for one from the choice. */
  where: () => Place | undefined;
}

/** Versions that were chosen, by lock and by question: a lock is asked once. */
const choicesOf = ofCatalog(() => new Map<PickVersion | undefined, Map<string, string>>());

/**
 * The version that `pick` gives for the range, else the highest of `versions` in it, or a finding that names the versions
 * that exist.
 * @param versions sorted, lowest first
 */
function chooseVersion(
  catalog: Catalog,
  { what, name, range, scheme, where }: Wanted,
  versions: readonly string[],
  pick: PickVersion | undefined,
): string | Finding {
  const choices = keep(choicesOf(catalog), pick, () => new Map<string, string>());
  const chosen = choices.get(`${what} ${name} ${range}`);
  if (chosen !== undefined) return chosen;
  if (!scheme.isRange(range) && !versions.includes(range)) {
    return {
      code: "RANGE_INVALID",
      what: `${JSON.stringify(range)} is neither a version nor a range of the ${what} ${name}`,
      where: where(),
      fix: `such as ${scheme.examples}`,
    };
  }
  const best = pick?.(what, name, range, versions) ?? versionsIn(range, versions, scheme).at(-1);
  if (best !== undefined) {
    choices.set(`${what} ${name} ${range}`, best);
    return best;
  }
  return {
    code: "RANGE_UNSATISFIED",
    what: `no version of the ${what} ${name} satisfies \`${range}\``,
    where: where(),
    fix: `there ${versions.length === 1 ? "is" : "are"}: ${versions.join(", ") || "none"}`,
  };
}

/** The fragments of a manifest, in its order, for which a version can be chosen; the others are findings. */
export function pickFragments(
  catalog: Catalog,
  manifest: Entry<Manifest>,
  { set = {}, pick }: Choice,
  findings: Finding[],
): FolderEntry<Fragment>[] {
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
    const place = () => manifest.place(["fragments", name]);
    if (!known.includes(name)) {
      const guess = didYouMean(name, known);
      findings.push({
        code: "UNKNOWN_FRAGMENT",
        what: `there is no fragment named \`${name}\``,
        where: place(),
        fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      });
      continue;
    }
    const version = chooseVersion(
      catalog,
      {
        what: "fragment",
        name,
        range: chosen ?? own,
        scheme: catalog.fragmentScheme(name),
        where: () => (chosen === undefined ? place() : undefined),
      },
      catalog.fragmentVersions(name),
      pick,
    );
    if (typeof version === "string") fragments.push(catalog.fragment(name, version));
    else findings.push(version);
  }
  return fragments;
}

/** The template of a manifest, or a finding that says why there is none. */
export function pickTemplate(
  catalog: Catalog,
  manifest: Entry<Manifest>,
  pick: PickVersion | undefined,
): FolderEntry<Template> | Finding {
  // The schema guarantees that the reference has this form.
  const { id = "", range = "" } = parseTemplateRef(manifest.document.template) ?? {};
  const where = () => manifest.place(["template"]);
  const known = catalog.templateIds();
  if (!known.includes(id)) {
    const guess = didYouMean(id, known);
    return {
      code: "UNKNOWN_TEMPLATE",
      what: `there is no template named \`${id}\``,
      where: where(),
      fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ") || "none"}`,
    };
  }
  const version = chooseVersion(
    catalog,
    { what: "template", name: id, range, scheme: SCHEMES.semver, where },
    catalog.templateVersions(id),
    pick,
  );
  return typeof version === "string" ? catalog.template(id, version) : version;
}
