import type { Catalog, Entry } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import type { Scheme } from "../catalog/schemes/scheme.ts";
import { sortVersions } from "../catalog/versions.ts";
import { listed } from "../model/visible.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { valueText } from "../model/value.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Plan, Value, VersionAxis } from "../schemas/types.ts";
import { axisText, versionsOfAxis } from "./version-axis.ts";

/** What varies between the cells of a plan, by the name that rules and `zip` use. */
export interface Axis {
  /** A fragment's name, `base`, `platform`, or `args.` and an argument's name. */
  name: string;
  kind: "fragment" | "base" | "platform" | "arg";
  values: readonly Value[];
  /** Its path in the plan; undefined if the manifest gives it. */
  path: readonly (string | number)[] | undefined;
}

/** Axes that move together: at each position of the column every axis has its own value. Most columns have one axis. */
export interface Column {
  axes: readonly Axis[];
  size: number;
}

/** Chooses a version in place of the newest one in a range: a lock. undefined: the lock has none. */
export interface Pins {
  version: (
    what: "fragment" | "template",
    name: string,
    range: string,
    versions: readonly string[],
  ) => string | undefined;
  /** @param axis the axis as `axisText` writes it */
  axis: (name: string, axis: string) => readonly string[] | undefined;
}

function compareValues(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareText(valueText(a), valueText(b)) || compareText(typeof a, typeof b);
}

/** The axes of a plan, sorted by name, with sorted values; the platforms are always one of them. */
function axesOf(
  catalog: Catalog,
  entry: Entry<Plan>,
  manifest: Manifest,
  pins: Pins | undefined,
  findings: Finding[],
): Axis[] {
  const { axes = {}, platforms } = entry.document;
  const { base, platform, args = {}, ...versions } = axes;
  const found: Axis[] = [];
  if (base) found.push({ name: "base", kind: "base", values: base, path: ["axes", "base"] });
  for (const [name, values] of Object.entries(args))
    found.push({ name: `args.${name}`, kind: "arg", values, path: ["axes", "args", name] });
  if (platform && platforms) {
    findings.push({
      code: "SCHEMA",
      what: "the platforms are given both under `axes` and under `platforms`",
      where: entry.place(["platforms"]),
      fix: "remove one of the two",
    });
  }
  found.push({
    name: "platform",
    kind: "platform",
    values: platform ?? platforms ?? manifest.platforms ?? ["linux/amd64"],
    path: platform ? ["axes", "platform"] : platforms ? ["platforms"] : undefined,
  });
  for (const [name, axis] of Object.entries(versions) as [string, VersionAxis][]) {
    const path = ["axes", name];
    if (!Object.hasOwn(manifest.fragments, name)) {
      const known = [...Object.keys(manifest.fragments), "base", "platform", "args"];
      const guess = didYouMean(name, known);
      findings.push({
        code: "UNKNOWN_AXIS",
        what: `\`${name}\` is not a fragment of the manifest ${manifest.manifest_id}`,
        where: entry.place(path),
        fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      });
      continue;
    }
    const existing = catalog.fragmentNames().includes(name) ? catalog.fragmentVersions(name) : [];
    const scheme = catalog.fragmentScheme(name);
    if (typeof axis === "object" && !Array.isArray(axis) && scheme.minorOf === null) {
      findings.push({
        code: "RANGE_INVALID",
        what: `no version of the fragment ${name} is later than another: its scheme is ${scheme.name}`,
        where: entry.place(path),
        fix: "list the versions, such as `[a, b]`",
      });
      continue;
    }
    const unknown = Array.isArray(axis) ? axis.filter((version) => !existing.includes(version)) : [];
    for (const version of unknown) {
      findings.push({
        code: "RANGE_UNSATISFIED",
        what: `no version of the fragment ${name} satisfies \`${version}\``,
        where: entry.place([...path, (axis as string[]).indexOf(version)]),
        fix: `there ${existing.length === 1 ? "is" : "are"}: ${listed(existing) || "none"}`,
      });
    }
    if (unknown.length > 0) continue;
    const values =
      (Array.isArray(axis) ? undefined : pins?.axis(name, axisText(axis))) ??
      versionsOfAxis(axis, existing, scheme);
    if (values.length === 0) {
      findings.push({
        code: "RANGE_UNSATISFIED",
        what: `no version of the fragment ${name} satisfies \`${Array.isArray(axis) ? "" : axisText(axis)}\``,
        where: entry.place(path),
        fix: `there ${existing.length === 1 ? "is" : "are"}: ${listed(existing) || "none"}`,
      });
      continue;
    }
    found.push({ name, kind: "fragment", values, path });
  }
  for (const { name, values, path } of found) {
    const texts = values.map(valueText);
    const twice = texts.find((text, at) => texts.indexOf(text) !== at);
    if (twice === undefined) continue;
    findings.push({
      code: "SCHEMA",
      what: `the axis \`${name}\` has ${twice} twice`,
      where: path && entry.place(path),
      fix: "keep one of the two",
    });
  }
  return found.sort((a, b) => compareText(a.name, b.name));
}

/** Findings about zip groups that share an axis: as a chain, or as a cycle. */
function overlapFinding(entry: Entry<Plan>, zip: readonly string[][]): Finding | undefined {
  const groupOf = new Map<string, number>();
  const parent = zip.map((_, at) => at);
  const root = (at: number): number => (parent[at] === at ? at : root(parent[at] ?? at));
  let shared: string | undefined;
  let circle: string | undefined;
  for (const [at, names] of zip.entries()) {
    for (const name of names) {
      const before = groupOf.get(name);
      if (before === undefined) groupOf.set(name, at);
      else if (root(before) === root(at)) circle ??= name;
      else {
        shared ??= name;
        parent[root(at)] = root(before);
      }
    }
  }
  const name = circle ?? shared;
  if (name === undefined) return undefined;
  const groups = zip.filter((names) => names.includes(name)).map((names) => `[${names.join(", ")}]`);
  return {
    code: "ZIP_CYCLE",
    what: circle
      ? `the groups of \`zip\` form a cycle at \`${name}\`: ${zip.map((names) => names.join(" – ")).join(", ")}`
      : `\`${name}\` is in two groups of \`zip\`: ${groups.join(" and ")}`,
    where: entry.place(["zip"]),
    fix: "put each axis in one group only: axes that all move together are one group",
  };
}

/** The columns of a plan: zipped axes share one. Sorted by the name of their first axis; positions by their values. */
function columnsOf(
  entry: Entry<Plan>,
  { axes, schemeOf }: { axes: readonly Axis[]; schemeOf: (fragment: string) => Scheme },
  findings: Finding[],
): Column[] {
  const { zip = [] } = entry.document;
  const byName = new Map(axes.map((axis) => [axis.name, axis]));
  const overlap = overlapFinding(entry, zip);
  if (overlap) {
    findings.push(overlap);
    return [];
  }
  const columns: Column[] = [];
  const zipped = new Set<string>();
  for (const [at, names] of zip.entries()) {
    const members = names.flatMap((name) => {
      const axis = byName.get(name);
      if (axis) return [axis];
      const known = axes.map((one) => one.name);
      const guess = didYouMean(name, known);
      findings.push({
        code: "UNKNOWN_AXIS",
        what: `\`${name}\` is not an axis of this plan`,
        where: entry.place(["zip", at, names.indexOf(name)]),
        fix: guess ? `did you mean \`${guess}\`?` : `its axes are: ${known.join(", ")}`,
      });
      return [];
    });
    for (const name of names) zipped.add(name);
    if (members.length < names.length) continue;
    const sizes = members.map(({ values }) => values.length);
    if (new Set(sizes).size > 1) {
      findings.push({
        code: "ZIP_LENGTH",
        what: `zipped axes have different lengths: ${members.map(({ name, values }) => `${name} has ${values.length}`).join(", ")}`,
        where: entry.place(["zip", at]),
        fix: "give all of them the same number of values, in the order in which they belong together",
      });
      continue;
    }
    const sorted = [...members].sort((a, b) => compareText(a.name, b.name));
    const positions = [...(sorted[0]?.values.keys() ?? [])].sort((a, b) => {
      for (const { name, values, kind } of sorted) {
        const [left, right] = [values[a] ?? "", values[b] ?? ""];
        const order =
          kind === "fragment"
            ? schemeOf(name).compare(valueText(left), valueText(right))
            : compareValues(left, right);
        if (order !== 0) return order;
      }
      return 0;
    });
    columns.push({
      axes: sorted.map((axis) => ({
        ...axis,
        values: positions.map((position) => axis.values[position] ?? ""),
      })),
      size: positions.length,
    });
  }
  for (const axis of axes) {
    if (zipped.has(axis.name)) continue;
    const values =
      axis.kind === "fragment"
        ? sortVersions(axis.values as string[], schemeOf(axis.name))
        : [...axis.values].sort(compareValues);
    columns.push({ axes: [{ ...axis, values }], size: values.length });
  }
  return columns.sort((a, b) => compareText(a.axes[0]?.name ?? "", b.axes[0]?.name ?? ""));
}

/** What varies in a plan: one column per axis or group of zipped axes. What is wrong with them goes to `findings`. */
export function readColumns(
  catalog: Catalog,
  entry: Entry<Plan>,
  manifest: Manifest,
  pins: Pins | undefined,
  findings: Finding[],
): Column[] {
  return columnsOf(
    entry,
    { axes: axesOf(catalog, entry, manifest, pins, findings), schemeOf: catalog.fragmentScheme },
    findings,
  );
}
