import type { Finding } from "../errors.ts";
import type { Documents, Fragment, ManifestDocument, Plan, Ranges, Template } from "../schemas/types.ts";
import { checkArgs } from "./arg-rules.ts";
import { checkCache } from "./cache-rules.ts";
import type { PlaceOf } from "./catalog.ts";
import { checkLibraries } from "./library-rules.ts";
import { parseTemplateRef } from "./names.ts";
import { checkPolicy } from "./policy-rules.ts";
import type { Kind } from "./schema.ts";
import { checkSources } from "./secret-rules.ts";
import { checkSmoke } from "./smoke-rules.ts";
import type { Sound } from "./sound.ts";
import { SCHEMES } from "./schemes/schemes.ts";
import { isSomeRange, isVersion } from "./versions.ts";
import { quoted } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";

/** Values that a document's path gives and its fields have to repeat: `{manifest_id: "llm_factory"}`. */
export type Named = Readonly<Record<string, string>>;

function checkNames(document: object, named: Named, place: PlaceOf): Finding[] {
  const fields = document as Record<string, unknown>;
  return Object.entries(named).flatMap(([field, wanted]): Finding[] => {
    const value = fields[field];
    if (typeof value !== "string" || value === wanted) return [];
    const what = `\`${field}\` is ${quoted(value)}, but the file's path says ${quoted(wanted)}`;
    return [
      {
        code: "NAME_MISMATCH",
        what,
        where: place([field]),
        fix: `write \`${field}: ${wanted}\`, or move the file`,
      },
    ];
  });
}

function checkRange(
  range: string | undefined,
  path: Path,
  place: PlaceOf,
  isRange: (text: string) => boolean = isSomeRange,
): Finding[] {
  if (range === undefined || isRange(range)) return [];
  const fix = `write a version or a range, such as ${SCHEMES.semver.examples}`;
  return [
    {
      code: "RANGE_INVALID",
      what: `${quoted(range)} is neither a version nor a range`,
      where: place(path),
      fix,
    },
  ];
}

function checkRanges(ranges: Sound<Ranges> | undefined, path: Path, place: PlaceOf): Finding[] {
  return Object.entries(ranges ?? {}).flatMap(([name, range]) => checkRange(range, [...path, name], place));
}

function checkManifest(document: Sound<ManifestDocument>, place: PlaceOf): Finding[] {
  const { range } = parseTemplateRef(document.template ?? "") ?? {};
  return [
    ...checkRange(range, ["template"], place, SCHEMES.semver.isRange),
    ...checkRanges(document.fragments, ["fragments"], place),
    ...checkSmoke(document.smoke, place),
  ];
}

/** A version has to be one of its scheme. */
function checkVersion({ version, scheme = "semver" }: Sound<Fragment>, place: PlaceOf): Finding[] {
  if (version === undefined || isVersion(version, SCHEMES[scheme])) return [];
  const what = `\`version\` is ${quoted(version)}, which is not a version of the scheme ${scheme}`;
  const fix = `such as ${SCHEMES[scheme].examples}; or say another \`scheme:\``;
  return [{ code: "SCHEMA", what, where: place(["version"]), fix }];
}

function checkFragment(document: Sound<Fragment>, place: PlaceOf): Finding[] {
  return [
    ...checkVersion(document, place),
    ...checkArgs(document.args, place),
    ...checkRanges(document.requires, ["requires"], place),
    ...checkRanges(document.conflicts, ["conflicts"], place),
    ...checkSmoke(document.smoke, place),
  ];
}

function checkTemplate(document: Sound<Template>, place: PlaceOf): Finding[] {
  const seen = new Set<string>();
  return (document.slots ?? []).flatMap((slot, index): Finding[] => {
    if (slot?.name === undefined) return [];
    if (!seen.has(slot.name)) {
      seen.add(slot.name);
      return [];
    }
    const where = place(["slots", index, "name"]);
    return [
      {
        code: "SLOT_DUPLICATE",
        what: `two slots are named ${quoted(slot.name)}`,
        where,
        fix: "give one of them another name",
      },
    ];
  });
}

/** What a selector asks of a fragment's version: a range, or a list of ranges. */
type Asked = string | (string | undefined)[] | undefined;

function checkSelector(selector: object | undefined, path: Path, place: PlaceOf): Finding[] {
  const asked = Object.entries((selector ?? {}) as Record<string, Asked>);
  return asked.flatMap(([name, range]) => {
    if (["base", "platform", "args"].includes(name)) return [];
    if (!Array.isArray(range)) return checkRange(range, [...path, name], place);
    return range.flatMap((one, at) => checkRange(one, [...path, name, at], place));
  });
}

/** The ranges that the version axes of a plan name. */
function checkAxes(axes: Sound<Plan>["axes"], place: PlaceOf): Finding[] {
  return Object.entries(axes ?? {}).flatMap(([name, axis]) => {
    if (["base", "platform", "args"].includes(name)) return [];
    if (typeof axis === "string") return checkRange(axis, ["axes", name], place);
    const { range } = (axis ?? {}) as { range?: string };
    return Array.isArray(axis) ? [] : checkRange(range, ["axes", name, "range"], place);
  });
}

/** An expectation selects cells with a rule, or names one cell by its id. */
function checkExpectations(expect: Sound<Plan>["expect"], place: PlaceOf): Finding[] {
  return (expect ?? []).flatMap((one, index): Finding[] => {
    const path = ["expect", index];
    const both = one?.when !== undefined && one.cell_id !== undefined;
    const neither = one !== undefined && !("when" in one) && !("cell_id" in one);
    return [
      ...(both || neither
        ? [
            {
              code: "SCHEMA" as const,
              what: `\`expect[${index}]\` has ${both ? "both `when` and `cell_id`" : "neither `when` nor `cell_id`"}`,
              where: place(path),
              fix: "name the cells with `when`, or one cell with `cell_id`",
            },
          ]
        : []),
      ...checkSelector(one?.when, [...path, "when"], place),
    ];
  });
}

function checkPlan(document: Sound<Plan>, place: PlaceOf): Finding[] {
  const both = Object.keys(document.axes ?? {}).filter((name) => Object.hasOwn(document.fixed ?? {}, name));
  const findings = both.map((name): Finding => {
    const what = `${quoted(name)} is both an axis and fixed`;
    return {
      code: "SCHEMA",
      what,
      where: place(["fixed", name]),
      fix: "remove it from `axes` or from `fixed`",
    };
  });
  return [
    ...findings,
    ...checkAxes(document.axes, place),
    ...checkRanges(document.fixed, ["fixed"], place),
    ...(document.exclude ?? []).flatMap((one, index) => checkSelector(one, ["exclude", index], place)),
    ...(document.constraints ?? []).flatMap((one, index) => [
      ...checkSelector(one?.when, ["constraints", index, "when"], place),
      ...checkSelector(one?.then, ["constraints", index, "then"], place),
    ]),
    ...checkExpectations(document.expect, place),
  ];
}

const RULES: { [K in Kind]: (document: Sound<Documents[K]>, place: PlaceOf) => Finding[] } = {
  fragment: checkFragment,
  local: (document, place) => checkSources(document, place, false),
  lock: () => [],
  manifest: checkManifest,
  plan: checkPlan,
  policy: checkPolicy,
  pool: () => [],
  product: ({ tags = [] }, place) =>
    tags.flatMap((one, at) =>
      typeof one === "object" ? checkSelector(one.when, ["tags", at, "when"], place) : [],
    ),
  template: checkTemplate,
  workspace: (document, place) => [
    ...checkSources(document, place, true),
    ...checkCache(document.cache, place),
    ...checkLibraries(document.libraries, place),
  ],
};

/**
 * Checks the rules that a schema cannot express, for one document by itself. Gives a finding for each that it breaks.
 * @param document without the parts that the schema refused
 */
export function checkRules<K extends Kind>(
  kind: K,
  document: Sound<Documents[K]>,
  named: Named,
  place: PlaceOf,
): Finding[] {
  return [...checkNames(document, named, place), ...RULES[kind](document, place)];
}
