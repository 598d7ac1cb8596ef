import { compareConfigs } from "../compare/compare-images.ts";
import { differences, type Difference, pathText, unpackEntry } from "../compare/file-entry.ts";
import type { FileTree } from "../compare/file-tree.ts";
import { canonicalJson } from "../model/digest.ts";
import { compareText } from "../model/compare.ts";
import { baseText } from "../model/parent.ts";
import { compareVersions } from "../records/packages/package-order.ts";
import { packageChanges, packageOf } from "../reproduce/packages.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { packagesIn } from "./bom-components.ts";
import type { Inspection } from "./inspect-image.ts";
import type { Missing, Side } from "./side.ts";

/** A value before and after; null where there is none. */
export interface Changed<T = string> {
  name: string;
  from: T | null;
  to: T | null;
}

export interface FragmentChange extends Changed {
  /** Whether its version has other files. */
  same_version: boolean;
}

export interface PackageDifference {
  type: string;
  name: string;
  from: string[];
  to: string[];
  change: "added" | "removed" | "upgraded" | "downgraded" | "changed";
  /** What brought it, or had brought it, as `core@0.1.0`; null if it is not known. */
  fragment: string | null;
}

export interface LicenseDifference {
  license: string;
  change: "added" | "removed";
  packages: string[];
}

export interface FileDifference {
  path: string;
  how: Difference[];
  /** Permission bits, in octal digits; null for links, and where there is no file. */
  mode: { from: string | null; to: string | null };
}

export interface FileDifferences {
  added: number;
  removed: number;
  changed: number;
  /** How many differ in their times alone. They are in no list. */
  times: number;
  /** Sorted by path. */
  list: FileDifference[];
}

/** All that differs. A part is null if one side does not have what it compares. */
export interface Differences {
  /** Manifest, platform, template, base, parent and arguments. */
  inputs: Changed[] | null;
  fragments: FragmentChange[] | null;
  packages: PackageDifference[] | null;
  licenses: LicenseDifference[] | null;
  /** Unpacked bytes by fragment, and `total`. */
  sizes: Changed<number>[] | null;
  files: FileDifferences | null;
  config: Changed<unknown>[] | null;
  tests: Changed[] | null;
  /** Milliseconds of the stages, and `total`; all, also those that are equal. */
  durations: Changed<number>[] | null;
  missing: Missing[];
}

/** Names of both maps, those of the first one first. */
const namesOf = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] => [
  ...new Set([...a.keys(), ...b.keys()]),
];

/** What two maps do not have alike. */
function changed<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, all = false): Changed<T>[] {
  return namesOf(a, b)
    .map((name) => ({ name, from: a.get(name) ?? null, to: b.get(name) ?? null }))
    .filter(({ from, to }) => all || from !== to);
}

function inputsOf(record: FactoryRecord): Map<string, string> {
  const { manifest_id, platform, template, base, parent, args } = record;
  const pinned = `${baseText(base.ref)}${base.digest === null ? "" : `@${base.digest}`}`;
  return new Map([
    ["manifest", manifest_id],
    ["platform", platform],
    ["template", `${template.id}@${template.version}`],
    ["base", pinned],
    ...(parent ? [["parent", `${parent.manifest_id}, build key ${parent.build_key}`] as const] : []),
    ...Object.entries(args).map(([name, value]) => [`argument ${name}`, canonicalJson(value)] as const),
  ]);
}

function fragmentChanges(a: FactoryRecord, b: FactoryRecord): FragmentChange[] {
  const [before, after] = [a, b].map(({ fragments }) => new Map(fragments.map((one) => [one.name, one])));
  if (!before || !after) return [];
  return namesOf(before, after).flatMap((name) => {
    const [one, two] = [before.get(name), after.get(name)];
    if (one?.version === two?.version && one?.digest === two?.digest) return [];
    const same_version = one?.version === two?.version;
    return [{ name, from: one?.version ?? null, to: two?.version ?? null, same_version }];
  });
}

function changeOf(type: string, from: readonly string[], to: readonly string[]): PackageDifference["change"] {
  if (from.length === 0) return "added";
  if (to.length === 0) return "removed";
  const order = from.length + to.length === 2 ? compareVersions(type, from[0] ?? "", to[0] ?? "") : null;
  if (order === null || order === 0) return "changed";
  return order < 0 ? "upgraded" : "downgraded";
}

/** The fragment of each package of a document, by type and name. */
function ownersIn(sbom: unknown): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { purl, fragment } of packagesIn(sbom)) {
    const named = packageOf(purl);
    if (named && fragment !== null) owners.set(`${named.type} ${named.name}`, fragment);
  }
  return owners;
}

function packageDifferences(a: unknown, b: unknown): PackageDifference[] {
  const [before, after] = [ownersIn(a), ownersIn(b)];
  return packageChanges(a, b).map(({ type, name, from, to }) => {
    const key = `${type} ${name}`;
    const fragment = (to.length > 0 ? after.get(key) : before.get(key)) ?? null;
    return { type, name, from, to, change: changeOf(type, from, to), fragment };
  });
}

function licensesIn(sbom: unknown): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { name, licenses } of packagesIn(sbom))
    for (const license of licenses) found.set(license, (found.get(license) ?? new Set()).add(name));
  return found;
}

/** Licences that only one of the two has. */
function licenseDifferences(a: unknown, b: unknown): LicenseDifference[] {
  const [before, after] = [licensesIn(a), licensesIn(b)];
  const only = (own: typeof before, other: typeof before, change: LicenseDifference["change"]) =>
    [...own]
      .filter(([license]) => !other.has(license))
      .map(([license, packages]) => ({ license, change, packages: [...packages].sort(compareText) }))
      .sort((one, two) => compareText(one.license, two.license));
  return [...only(after, before, "added"), ...only(before, after, "removed")];
}

/** Bytes by the name of the fragment, whatever its version. */
function sizesOf({ fragments, total }: Inspection): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { fragment, bytes } of fragments) {
    const name = fragment === null ? "(not known)" : fragment.replace(/@.*$/, "");
    sizes.set(name, (sizes.get(name) ?? 0) + bytes);
  }
  return sizes.set("total", total.bytes);
}

function modeOf(entry: string | undefined): string | null {
  const { type, mode } = unpackEntry(entry ?? "");
  return entry === undefined || type === "symlink" ? null : mode.padStart(4, "0");
}

/** Where the files of two images differ. */
function fileDifferences(a: FileTree, b: FileTree): FileDifferences {
  const found: FileDifferences = { added: 0, removed: 0, changed: 0, times: 0, list: [] };
  const add = (key: string, how: Difference[], from?: string, to?: string): void => {
    found.list.push({ path: pathText(key), how, mode: { from: modeOf(from), to: modeOf(to) } });
  };
  for (const [key, entry] of a.entries) {
    const other = b.entries.get(key);
    if (other === undefined) {
      found.removed += 1;
      add(key, ["removed"], entry);
      continue;
    }
    const all = differences(entry, other);
    const how = all.filter((one) => one !== "times");
    if (how.length > 0) {
      found.changed += 1;
      add(key, how, entry, other);
    } else if (all.length > 0) found.times += 1;
  }
  for (const [key, entry] of b.entries) {
    if (a.entries.has(key)) continue;
    found.added += 1;
    add(key, ["added"], undefined, entry);
  }
  found.list.sort((one, two) => compareText(one.path, two.path));
  return found;
}

function valueAt(config: Readonly<Record<string, unknown>>, field: string): unknown {
  const [first = "", second] = field.split(/\.(.*)/s);
  const value = config[first];
  return (second === undefined ? value : ((value ?? {}) as Record<string, unknown>)[second]) ?? null;
}

function durationsOf({ result }: FactoryRecord): Map<string, number> {
  return new Map([...Object.entries(result.stages_ms), ["total", result.duration_ms]]);
}

const testsOf = ({ tests }: FactoryRecord) => new Map(tests.map(({ id, status }) => [id, status as string]));

/** What differs between two sides. @param trees their files; null if an image is gone */
export function diffSides(
  a: Side,
  b: Side,
  { trees, missing }: { trees: { a: FileTree; b: FileTree } | null; missing: Missing[] },
): Differences {
  const records = a.record && b.record ? ([a.record, b.record] as const) : null;
  const hasPackages = a.sbom !== null && b.sbom !== null;
  const configs = a.image && b.image ? ([a.image.config, b.image.config] as const) : null;
  return {
    inputs: records && changed(inputsOf(records[0]), inputsOf(records[1])),
    fragments: records && fragmentChanges(...records),
    packages: hasPackages ? packageDifferences(a.sbom, b.sbom) : null,
    licenses: hasPackages ? licenseDifferences(a.sbom, b.sbom) : null,
    sizes: a.inspection && b.inspection && changed(sizesOf(a.inspection), sizesOf(b.inspection)),
    files: trees && fileDifferences(trees.a, trees.b),
    config:
      configs &&
      compareConfigs(...configs).map((name) => ({
        name,
        from: valueAt(configs[0], name),
        to: valueAt(configs[1], name),
      })),
    tests: records && changed(testsOf(records[0]), testsOf(records[1])),
    durations: records && changed(durationsOf(records[0]), durationsOf(records[1]), true),
    missing,
  };
}
