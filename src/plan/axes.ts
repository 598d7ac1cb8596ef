import type { Catalog, Entry } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Manifest } from "../model/manifest.ts";
import { valueText } from "../model/value.ts";
import { listed } from "../model/visible.ts";
import type { Plan, Value, VersionAxis } from "../schemas/types.ts";
import { axisText, versionsOfAxis } from "./version-axis.ts";
import { namedZips, setBy } from "./zip-values.ts";

/** What varies between the cells of a plan, by the name that rules and `zip` use. */
export interface Axis {
  /** A fragment's name, `base`, `platform`, or `args.` and an argument's name. */
  name: string;
  kind: "fragment" | "base" | "platform" | "arg" | "named";
  /** undefined where neither the plan nor the manifest says it. */
  values: readonly (Value | undefined)[];
  /** Its path in the plan; undefined if the manifest gives it. */
  path: readonly (string | number)[] | undefined;
  /** Of a named axis: the axes that its values set. */
  sets?: readonly string[];
  /** Of an axis that a named one sets: the positions at which it does not, so that the manifest's value counts. */
  unset?: readonly boolean[];
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

/** What reading the axes of a plan depends on. */
export interface PlanSources {
  catalog: Catalog;
  entry: Entry<Plan>;
  manifest: Manifest;
  pins: Pins | undefined;
}

/** The axes of a plan, sorted by name; the platforms are always one of them, unless a named axis sets them. */
export function axesOf({ catalog, entry, manifest, pins }: PlanSources, findings: Finding[]): Axis[] {
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
  const isSet = namedZips(entry.document).some(({ zip }) => setBy(zip).includes("platform"));
  if (platform || platforms || !isSet)
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
    const texts = (values as Value[]).map(valueText);
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
