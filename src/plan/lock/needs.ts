import type { Catalog } from "../../catalog/catalog.ts";
import { parseTemplateRef } from "../../catalog/names.ts";
import { type Scheme, SCHEMES } from "../../catalog/schemes/schemes.ts";
import { versionsIn } from "../../catalog/versions.ts";
import { errorOf, type Finding, type Place } from "../../errors.ts";
import { compareText } from "../../model/compare.ts";
import type { Plan, Ranges, VersionAxis } from "../../schemas/types.ts";
import { axisText, versionsOfAxis } from "../version-axis.ts";
import { axisKey, type LockSubject, type LockValue, rangeKey, subjectKey } from "./lock.ts";
import { distinct, sourcesOf } from "./sources.ts";

/** Something that a lock has to contain. */
export interface LockNeed extends LockSubject {
  /** The manifests that it touches, sorted. */
  manifests: string[];
  /** Its first place. */
  where: Place;
}

/** A range or an axis. */
export interface VersionNeed extends LockNeed {
  /** What it means with the versions that exist now. */
  newest: () => LockValue;
  /** Whether it may still mean what a lock says. */
  holds: (value: LockValue) => boolean;
}

/** Needs by `subjectKey`. */
export type Needs<N extends LockNeed = LockNeed> = Map<string, N>;

/** Collects needs. One that several manifests share is one need, with all their names. */
export function needsOf<N extends LockNeed>() {
  const needs: Needs<N> = new Map();
  const add = (manifestId: string, need: Omit<N, "manifests">): void => {
    const key = subjectKey(need);
    const known = needs.get(key);
    if (!known) needs.set(key, { ...need, manifests: [manifestId] } as N);
    else if (!known.manifests.includes(manifestId)) {
      known.manifests.push(manifestId);
      known.manifests.sort(compareText);
    }
  };
  return { needs, add };
}

function rangeNeed(
  kind: "template" | "fragment",
  { name, range, where }: { name: string; range: string; where: Place },
  versions: readonly string[],
  scheme: Scheme,
): Omit<VersionNeed, "manifests"> {
  const allowed = versionsIn(range, versions, scheme);
  return {
    kind,
    name,
    at: rangeKey(range),
    where,
    newest: () => allowed.at(-1) ?? "",
    holds: (value) => typeof value === "string" && allowed.includes(value),
  };
}

function axisNeed(
  name: string,
  axis: Exclude<VersionAxis, string[]>,
  where: Place,
  { versions, scheme }: { versions: readonly string[]; scheme: Scheme },
): Omit<VersionNeed, "manifests"> {
  const range = typeof axis === "string" ? axis : axis.range;
  const allowed = new Set(range === undefined ? versions : versionsIn(range, versions, scheme));
  return {
    kind: "axis",
    name,
    at: axisKey(axisText(axis)),
    where,
    newest: () => versionsOfAxis(axis, versions, scheme),
    // Applied to the list alone, the axis has to give the whole list: it has no other and no more versions.
    holds: (value) =>
      Array.isArray(value) &&
      value.every((version: string) => allowed.has(version)) &&
      versionsOfAxis(axis, value, scheme).length === value.length,
  };
}

/** Axes that are not versions of a fragment. */
const NO_FRAGMENT = new Set(["base", "platform", "args"]);

/** The version axes of a plan that are not explicit lists. */
function openAxes({ axes = {} }: Plan): [string, Exclude<VersionAxis, string[]>][] {
  return (Object.entries(axes) as [string, VersionAxis][]).flatMap(([name, axis]) =>
    NO_FRAGMENT.has(name) || Array.isArray(axis) ? [] : [[name, axis]],
  );
}

/**
 * Every range of manifests and of plans' `fixed`, and every axis of a plan that is not an explicit list.
 * @param manifestIds only what these manifests and their plans need
 * @throws FactoryError with all findings of the manifests and plans, including ranges that nothing satisfies
 */
export function versionNeeds(catalog: Catalog, manifestIds?: readonly string[]): Needs<VersionNeed> {
  const { manifests, plans } = sourcesOf(catalog, manifestIds);
  const { needs, add } = needsOf<VersionNeed>();
  const findings: Finding[] = [];
  const addFragments = (id: string, ranges: Ranges, place: (name: string) => Place) => {
    for (const [name, range] of Object.entries(ranges))
      add(
        id,
        rangeNeed(
          "fragment",
          { name, range, where: place(name) },
          catalog.fragmentVersions(name),
          catalog.fragmentScheme(name),
        ),
      );
  };
  for (const { document, place } of manifests) {
    const { manifest_id, template, fragments } = document;
    const { id: name = "", range = "" } = parseTemplateRef(template) ?? {};
    const where = place(["template"]);
    add(
      manifest_id,
      rangeNeed("template", { name, range, where }, catalog.templateVersions(name), SCHEMES.semver),
    );
    addFragments(manifest_id, fragments, (fragment) => place(["fragments", fragment]));
  }
  for (const { document, place } of plans) {
    const { manifest_id, fixed = {} } = document;
    addFragments(manifest_id, fixed, (fragment) => place(["fixed", fragment]));
    for (const [name, axis] of openAxes(document)) {
      const versions = catalog.fragmentVersions(name);
      const where = place(["axes", name]);
      const scheme = catalog.fragmentScheme(name);
      if (versionsOfAxis(axis, versions, scheme).length > 0) {
        add(manifest_id, axisNeed(name, axis, where, { versions, scheme }));
        continue;
      }
      findings.push({
        code: "RANGE_UNSATISFIED",
        what: `no version of the fragment ${name} satisfies \`${axisText(axis)}\``,
        where,
        fix: `there ${versions.length === 1 ? "is" : "are"}: ${versions.join(", ") || "none"}`,
      });
    }
  }
  if (findings.length > 0) throw errorOf(distinct(findings));
  return needs;
}
