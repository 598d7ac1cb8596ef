import type { Catalog } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { unknownName } from "../catalog/references.ts";
import { splitArgName } from "../catalog/names.ts";
import { versionsIn } from "../catalog/versions.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { canonicalJson } from "../model/digest.ts";
import { baseRef } from "../model/parent.ts";
import { isList } from "../model/value.ts";
import { listed } from "../model/visible.ts";
import type { NamedZip, Value } from "../schemas/types.ts";
import type { Axis, Column, Pins, PlanSources } from "./axes.ts";
import { namedZips, setBy, settingsOf } from "./zip-values.ts";

/** The version that a range of a manifest means where nothing else is chosen; undefined if there is none. */
export function versionOf(
  catalog: Catalog,
  name: string,
  range: string,
  pins: Pins | undefined,
): string | undefined {
  const versions = catalog.fragmentNames().includes(name) ? catalog.fragmentVersions(name) : [];
  return (
    pins?.version("fragment", name, range, versions) ??
    versionsIn(range, versions, catalog.fragmentScheme(name)).at(-1)
  );
}

/** What a manifest has where a value sets nothing; undefined if the manifest does not say it. */
function otherwise({ catalog, manifest, pins }: PlanSources, name: string): Value | undefined {
  if (name === "base") return baseRef(manifest.base);
  if (!name.startsWith("args.")) return versionOf(catalog, name, manifest.fragments[name] ?? "", pins);
  const { fragment, own } = splitArgName(name.slice("args.".length));
  const { args = {} } = manifest;
  if (fragment === undefined) return Object.hasOwn(args, own) ? (args[own] as Value) : undefined;
  const group = Object.hasOwn(args, fragment) ? args[fragment] : undefined;
  if (typeof group !== "object" || isList(group as Value) || !Object.hasOwn(group, own)) return undefined;
  return (group as Record<string, Value>)[own];
}

/** Findings about the name of an axis, and about what it sets that something else sets as well. */
function nameFindings(
  { entry, manifest }: PlanSources,
  { zip, at }: { zip: NamedZip; at: number },
  taken: ReadonlyMap<string, string>,
): Finding[] {
  const findings: Finding[] = [];
  const { name } = zip;
  const reserved = ["base", "platform", "args"].includes(name);
  if (reserved || Object.hasOwn(manifest.fragments, name) || taken.has(name)) {
    const what = reserved ? "has a meaning of its own" : (taken.get(name) ?? "is the name of a fragment");
    findings.push({
      code: "SCHEMA",
      what: `an axis of \`zip\` is named \`${name}\`, which ${what}`,
      where: entry.place(["zip", at, "name"]),
      fix: "give it another name, such as `variant`",
    });
  }
  for (const own of setBy(zip)) {
    const by = own === name ? "is the axis itself" : taken.get(own);
    if (by === undefined) continue;
    const [value = ""] = Object.entries(zip.values).find(([, one]) => settingsOf(one).has(own)) ?? [];
    findings.push({
      code: "SCHEMA",
      what: `\`${value}\` of \`${name}\` sets \`${own}\`, which ${by}`,
      where: entry.place([
        "zip",
        at,
        "values",
        value,
        ...(own.startsWith("args.") ? ["args", own.slice(5)] : [own]),
      ]),
      fix: "set it in one place only",
    });
  }
  return findings;
}

/** One value of a named axis that cannot be used, at its place. */
function valueFinding(
  { catalog, entry, manifest }: PlanSources,
  name: string,
  value: unknown,
  path: readonly (string | number)[],
): Finding | undefined {
  const where = entry.place(path);
  if (name === "base") {
    if (typeof value === "string") return undefined;
    const { name: base } = value as { name: string };
    const { bases } = catalog.settings();
    if (Object.hasOwn(bases, base)) return undefined;
    const what = `\`bases\` of factory.yaml has no \`${base}\``;
    return { ...unknownName("UNKNOWN_BASE", what, base, Object.keys(bases)), where };
  }
  if (name === "platform" || name.startsWith("args.")) return undefined;
  if (!Object.hasOwn(manifest.fragments, name)) {
    const known = [...Object.keys(manifest.fragments), "base", "platform", "args"];
    const guess = didYouMean(name, known);
    return {
      code: "UNKNOWN_AXIS",
      what: `\`${name}\` is not a fragment of the manifest ${manifest.manifest_id}`,
      where,
      fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
    };
  }
  const versions = catalog.fragmentNames().includes(name) ? catalog.fragmentVersions(name) : [];
  if (versions.includes(value as string)) return undefined;
  return {
    code: "RANGE_UNSATISFIED",
    what: `there is no version ${String(value)} of the fragment ${name}`,
    where,
    fix: `there ${versions.length === 1 ? "is" : "are"}: ${listed(versions) || "none"}`,
  };
}

/** Findings about two values that set the same, and about a platform that only some of them set. */
function pairFindings({ entry }: PlanSources, { zip, at }: { zip: NamedZip; at: number }): Finding[] {
  const findings: Finding[] = [];
  const known = new Map<string, string>();
  const place = (value: string) => entry.place(["zip", at, "values", value]);
  for (const [name, value] of Object.entries(zip.values)) {
    const text = canonicalJson(value);
    const before = known.get(text);
    if (before === undefined) known.set(text, name);
    else
      findings.push({
        code: "SCHEMA",
        what: `\`${before}\` and \`${name}\` of \`${zip.name}\` set the same`,
        where: place(name),
        fix: "remove one of the two, or correct what it sets",
      });
  }
  const without = Object.entries(zip.values).find(([, { platform }]) => platform === undefined);
  if (without && setBy(zip).includes("platform"))
    findings.push({
      code: "SCHEMA",
      what: `\`${without[0]}\` of \`${zip.name}\` sets no platform, but other values do`,
      where: place(without[0]),
      fix: "set `platform` in all of them or in none",
    });
  return findings;
}

/**
 * The column of a named axis: the axis itself, then what its values set, sorted. Positions are sorted by the values' names.
 * What is wrong goes to `findings`.
 * @param taken what else sets an axis, as the end of a sentence, by the axis's name
 */
function namedColumn(
  sources: PlanSources,
  named: { zip: NamedZip; at: number },
  taken: ReadonlyMap<string, string>,
  findings: Finding[],
): Column {
  const { zip, at } = named;
  findings.push(...nameFindings(sources, named, taken), ...pairFindings(sources, named));
  const positions = Object.entries(zip.values)
    .map(([name, value]) => ({ name, set: settingsOf(value) }))
    .sort((a, b) => compareText(a.name, b.name));
  for (const { name: value, set } of positions)
    for (const [name, one] of set) {
      const finding = valueFinding(sources, name, one.value, ["zip", at, "values", value, ...one.path]);
      if (finding) findings.push(finding);
    }
  const { bases } = sources.catalog.settings();
  const members = setBy(zip).map((name): Axis => {
    const rest = otherwise(sources, name);
    const kind =
      name === "base" || name === "platform" ? name : name.startsWith("args.") ? "arg" : "fragment";
    const values = positions.map(({ set }) => {
      const value = set.get(name)?.value as Value | undefined;
      if (value === undefined) return rest;
      if (name !== "base" || typeof value === "string") return value;
      return bases[(value as { name: string }).name];
    });
    return {
      name,
      kind,
      values,
      path: ["zip", at, "values"],
      unset: positions.map(({ set }) => !set.has(name)),
    };
  });
  const own: Axis = {
    name: zip.name,
    kind: "named",
    values: positions.map(({ name }) => name),
    path: ["zip", at, "values"],
    sets: members.map(({ name }) => name),
  };
  return { axes: [own, ...members], size: positions.length };
}

/** The columns of a plan's named axes. @param axes the other axes of the plan */
export function namedColumns(sources: PlanSources, axes: readonly Axis[], findings: Finding[]): Column[] {
  const { fixed = {} } = sources.entry.document;
  const taken = new Map<string, string>([
    ...axes.map(
      ({ name, path }) =>
        [
          name,
          path?.[0] === "platforms" ? "`platforms` gives as well" : "is an axis of the plan as well",
        ] as const,
    ),
    ...Object.keys(fixed).map((name) => [name, "is fixed as well"] as const),
  ]);
  return namedZips(sources.entry.document).map((named) => {
    const column = namedColumn(sources, named, taken, findings);
    taken.set(named.zip.name, "another axis of `zip` is named");
    for (const name of setBy(named.zip)) taken.set(name, `\`${named.zip.name}\` sets as well`);
    return column;
  });
}
