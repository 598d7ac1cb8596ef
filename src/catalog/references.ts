import type { ErrorCode, Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment, Plan, Product } from "../schemas/types.ts";
import type { Catalog } from "./catalog.ts";
import type { Loaded } from "./document.ts";
import { parseTemplateRef } from "./names.ts";
import { didYouMean } from "./suggest.ts";
import { type Scheme, SCHEMES } from "./schemes/schemes.ts";
import { isSomeRange, versionsIn } from "./versions.ts";
import { listed, quoted, visible } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";

/** A finding about a name that does not exist, with the nearest one that does. */
export function unknownName(code: ErrorCode, what: string, name: string, known: readonly string[]): Finding {
  const guess = didYouMean(name, known);
  // The form in which cells and tags name an argument.
  if (code === "UNKNOWN_AXIS" && name.startsWith("args."))
    return { code, what, fix: `write \`args: { ${visible(name.slice("args.".length))}: … }\`` };
  return {
    code,
    what,
    fix: guess
      ? `did you mean \`${guess}\`?`
      : known.length === 0
        ? "there are none yet"
        : `there are: ${listed(known)}`,
  };
}

/** A finding if no version satisfies the range. A range of no scheme is a finding of the document itself. */
function checkVersions(what: string, range: string, versions: readonly string[], scheme: Scheme): Finding[] {
  if (!isSomeRange(range) || versionsIn(range, versions, scheme).length > 0) return [];
  if (!scheme.isRange(range)) {
    return [
      {
        code: "RANGE_INVALID",
        what: `${quoted(range)} is no ${scheme.name} version or range, as those of ${what} are`,
        fix: `write a version or a range, such as ${scheme.examples}`,
      },
    ];
  }
  const fix =
    versions.length === 0
      ? "it has no versions yet"
      : `there ${versions.length === 1 ? "is" : "are"}: ${listed(versions)}`;
  return [{ code: "RANGE_UNSATISFIED", what: `no version of ${what} satisfies ${quoted(range)}`, fix }];
}

function checkFragment(catalog: Catalog, name: string, range: string | undefined): Finding[] {
  const names = catalog.fragmentNames();
  if (!names.includes(name))
    return [unknownName("UNKNOWN_FRAGMENT", `there is no fragment ${quoted(name)}`, name, names)];
  return range === undefined
    ? []
    : checkVersions(
        `the fragment ${name}`,
        range,
        catalog.fragmentVersions(name),
        catalog.fragmentScheme(name),
      );
}

/** Places findings: those about a mapping's name at the name, all others at the value. */
function placed(loaded: Loaded<unknown>, path: Path, findings: readonly Finding[]): Finding[] {
  const atName: ErrorCode[] = ["UNKNOWN_FRAGMENT", "UNKNOWN_AXIS"];
  return findings.map((one) => ({
    ...one,
    where: atName.includes(one.code) ? loaded.keyPlace(path) : loaded.place(path),
  }));
}

/** A manifest's template and fragments have to exist, in a version that it allows; and so does the manifest that it starts from. */
export function checkManifestReferences(catalog: Catalog, loaded: Loaded<Manifest>): Finding[] {
  const findings: Finding[] = [];
  const template = parseTemplateRef(loaded.sound.template ?? "");
  if (template) {
    const ids = catalog.templateIds();
    const found = ids.includes(template.id)
      ? checkVersions(
          `the template ${template.id}`,
          template.range,
          catalog.templateVersions(template.id),
          SCHEMES.semver,
        )
      : [unknownName("UNKNOWN_TEMPLATE", `there is no template ${quoted(template.id)}`, template.id, ids)];
    findings.push(...placed(loaded, ["template"], found));
  }
  const { base } = loaded.sound;
  const parent = typeof base === "object" ? base.manifest : undefined;
  const ids = parent === undefined ? [] : catalog.manifestIds();
  if (parent !== undefined && !ids.includes(parent)) {
    const found = unknownName("UNKNOWN_MANIFEST", `there is no manifest ${quoted(parent)}`, parent, ids);
    findings.push(...placed(loaded, ["base", "manifest"], [found]));
  }
  for (const [name, range] of Object.entries(loaded.sound.fragments ?? {})) {
    findings.push(...placed(loaded, ["fragments", name], checkFragment(catalog, name, range)));
  }
  return findings;
}

/** What a fragment requires has to exist. A conflict may name what no longer exists. */
export function checkFragmentReferences(catalog: Catalog, loaded: Loaded<Fragment>): Finding[] {
  return Object.entries(loaded.sound.requires ?? {}).flatMap(([name, range]) =>
    placed(loaded, ["requires", name], checkFragment(catalog, name, range)),
  );
}

function checkManifestId(catalog: Catalog, loaded: Loaded<Plan> | Loaded<Product>): Finding[] {
  const { manifest_id: id } = loaded.sound;
  const ids = catalog.manifestIds();
  if (id === undefined || ids.includes(id)) return [];
  return placed(
    loaded,
    ["manifest_id"],
    [unknownName("UNKNOWN_MANIFEST", `there is no manifest ${quoted(id)}`, id, ids)],
  );
}

export function checkProductReferences(catalog: Catalog, loaded: Loaded<Product>): Finding[] {
  return checkManifestId(catalog, loaded);
}

/** The names in a plan's selectors and axes that are not fragments. */
const NO_FRAGMENT = new Set(["base", "platform", "args"]);

interface VersionChoice {
  path: Path;
  name: string;
  range: string | undefined;
}

/** The versions or ranges that an axis names; `latest` alone names none. */
function axisChoices(name: string, axis: unknown): VersionChoice[] {
  const path = ["axes", name];
  if (Array.isArray(axis)) {
    return axis.map((range: string | undefined, index) => ({ path: [...path, index], name, range }));
  }
  if (typeof axis === "string") return [{ path, name, range: axis }];
  const { range } = (axis ?? {}) as { range?: string };
  return range === undefined ? [] : [{ path: [...path, "range"], name, range }];
}

/** What a selector asks of a fragment's version: a range, or a list of ranges. */
type Asked = string | (string | undefined)[] | undefined;

/** The names of a plan's named axes, which selectors may use. */
export function namedAxes({ zip = [] }: Loaded<Plan>["sound"]): Set<string> {
  return new Set(
    zip.flatMap((one) => (one && !Array.isArray(one) && one.name !== undefined ? one.name : [])),
  );
}

/** Every version or range that a plan names for a fragment, with its path. */
function choicesOf({ sound }: Loaded<Plan>): VersionChoice[] {
  const choices: VersionChoice[] = [];
  const named = namedAxes(sound);
  const add = (path: Path, ranges: object | undefined) => {
    for (const [name, range] of Object.entries((ranges ?? {}) as Record<string, Asked>)) {
      if (NO_FRAGMENT.has(name) || named.has(name)) continue;
      if (!Array.isArray(range)) choices.push({ path: [...path, name], name, range });
      else
        for (const [at, one] of range.entries())
          choices.push({ path: [...path, name, at], name, range: one });
    }
  };
  for (const [name, axis] of Object.entries(sound.axes ?? {})) {
    if (NO_FRAGMENT.has(name)) continue;
    choices.push({ path: ["axes", name], name, range: undefined }, ...axisChoices(name, axis));
  }
  for (const [at, zip] of (sound.zip ?? []).entries())
    if (zip && !Array.isArray(zip))
      for (const [value, set] of Object.entries(zip.values ?? {})) add(["zip", at, "values", value], set);
  for (const [name, range] of Object.entries(sound.fixed ?? {}))
    choices.push({ path: ["fixed", name], name, range });
  for (const list of ["always", "include", "exclude"] as const)
    for (const [index, cell] of (sound[list] ?? []).entries()) add([list, index], cell);
  for (const [index, rule] of (sound.constraints ?? []).entries())
    for (const side of ["when", "then"] as const) add(["constraints", index, side], rule?.[side]);
  for (const [index, expectation] of (sound.expect ?? []).entries())
    add(["expect", index, "when"], expectation?.when);
  return choices;
}

/**
 * A plan's manifest has to exist, the fragments that it names have to be the manifest's, and their versions have to exist.
 * @param manifest the plan's manifest, as far as it could be read; undefined if there is none
 */
export function checkPlanReferences(
  catalog: Catalog,
  loaded: Loaded<Plan>,
  manifest: Loaded<Manifest> | undefined,
): Finding[] {
  const findings = checkManifestId(catalog, loaded);
  const fragments = manifest?.sound.fragments;
  if (!fragments) return findings;
  const names = [...Object.keys(fragments), ...NO_FRAGMENT];
  for (const { path, name, range } of choicesOf(loaded)) {
    const known = Object.hasOwn(fragments, name);
    // An axis is checked here for its name only; its versions are not blamed for a wrong name as well.
    if (!known && (path[0] !== "axes" || range === undefined)) {
      const what = `${quoted(name)} is not a fragment of the manifest ${loaded.sound.manifest_id ?? ""}`;
      findings.push(...placed(loaded, path, [unknownName("UNKNOWN_AXIS", what, name, names)]));
    } else if (known && range !== undefined && catalog.fragmentNames().includes(name)) {
      findings.push(...placed(loaded, path, checkFragment(catalog, name, range)));
    }
  }
  return findings;
}
