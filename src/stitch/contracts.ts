import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { splitSharedId } from "../catalog/names.ts";
import { SCHEMES } from "../catalog/schemes/schemes.ts";
import type { Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment } from "../schemas/types.ts";
import { isOfFamily } from "./base-family.ts";
import { keep } from "./memo.ts";

/** A fragment as people write it: `core@0.1.0`. */
export function label(entry: FolderEntry<Fragment>): string {
  return `${entry.document.name}@${entry.document.version}`;
}

const known = new Map<string, boolean>();

/** Whether a fragment's version satisfies a range. Answers are kept, since cells ask the same again and again. */
function allows(range: string, { document: { version, scheme = "semver" } }: FolderEntry<Fragment>): boolean {
  return keep(known, `${scheme} ${version} ${range}`, () => SCHEMES[scheme].satisfies(version, range));
}

/** A requirement or a conflict that the versions of two fragments do not meet. */
interface Broken {
  code: "REQUIRES_VERSION" | "CONFLICT";
  /** Such as `light@0.2.0 requires core ~0.1`. */
  what: string;
  /** The fragment that says it, and the other one. */
  between: readonly [string, string];
}

function brokenBy(
  entry: FolderEntry<Fragment>,
  byName: ReadonlyMap<string, FolderEntry<Fragment>>,
): Broken[] {
  const { name: own, requires = {}, conflicts = {} } = entry.document;
  const broken = (code: Broken["code"], verb: string, ranges: Readonly<Record<string, string>>) =>
    Object.entries(ranges).flatMap(([name, range]): Broken[] => {
      const other = byName.get(name);
      if (!other || allows(range, other) === (code === "REQUIRES_VERSION")) return [];
      return [{ code, what: `${label(entry)} ${verb} ${name} ${range}`, between: [own, name] }];
    });
  return [
    ...broken("REQUIRES_VERSION", "requires", requires),
    ...broken("CONFLICT", "conflicts with", conflicts),
  ];
}

function named(fragments: readonly FolderEntry<Fragment>[]): Map<string, FolderEntry<Fragment>> {
  return new Map(fragments.map((entry) => [entry.document.name, entry]));
}

/** All requirements and conflicts among the fragments that their versions do not meet. */
export function brokenContracts(fragments: readonly FolderEntry<Fragment>[]): Broken[] {
  const byName = named(fragments);
  return fragments.flatMap((entry) => brokenBy(entry, byName));
}

/** Findings about fragments of several libraries, or of one and of the workspace itself, that are called the same. */
function twiceFindings(fragments: readonly FolderEntry<Fragment>[], manifest: Entry<Manifest>): Finding[] {
  const byOwn = new Map<string, string>();
  return fragments.flatMap(({ document: { name } }): Finding[] => {
    const { own } = splitSharedId(name);
    const first = byOwn.get(own);
    if (first === undefined) byOwn.set(own, name);
    if (first === undefined) return [];
    return [
      {
        code: "FRAGMENT_TWICE",
        what: `${first} and ${name} are both the fragment \`${own}\`, from two places`,
        where: manifest.place(["fragments", name]),
        fix: "keep one of the two",
      },
    ];
  });
}

/** Requirements and conflicts among the chosen fragments. */
export function checkContracts(
  fragments: readonly FolderEntry<Fragment>[],
  manifest: Entry<Manifest>,
  findings: Finding[],
): void {
  const byName = named(fragments);
  findings.push(...twiceFindings(fragments, manifest));
  for (const entry of fragments) {
    const where = manifest.place(["fragments", entry.document.name]);
    for (const [name, range] of Object.entries(entry.document.requires ?? {})) {
      // A name whose range is not satisfied already has a finding of its own.
      if (byName.has(name) || Object.hasOwn(manifest.document.fragments, name)) continue;
      findings.push({
        code: "REQUIRES_MISSING",
        what: `${label(entry)} requires ${name} ${range}, which is not among the fragments`,
        where,
        fix: `add \`${name}: "${range}"\` under \`fragments:\``,
      });
    }
    for (const { code, what, between } of brokenBy(entry, byName)) {
      const other = byName.get(between[1]);
      findings.push({
        code,
        what: `${what}, and ${other ? label(other) : between[1]} is chosen`,
        where,
        fix: `choose another version of ${between[1]} or of ${between[0]}`,
      });
    }
  }
  const cycle = requirementCycle(byName);
  if (cycle) {
    findings.push({
      code: "REQUIRES_CYCLE",
      what: `the fragments require each other in a cycle: ${cycle.join(" → ")}`,
      where: byName.get(cycle[0] ?? "")?.place(["requires"]),
      fix: "remove one of these requirements",
    });
  }
}

/** A cycle among the requirements, as names, with the first one repeated at the end; undefined if there is none. */
function requirementCycle(byName: ReadonlyMap<string, FolderEntry<Fragment>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of Object.keys(byName.get(name)?.document.requires ?? {})) {
      const found = visit(next, [...path, name]);
      if (found) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const name of byName.keys()) {
    const found = visit(name, []);
    if (found) return found;
  }
  return undefined;
}

/** Findings about fragments that do not work on one of the platforms. */
export function platformFindings(
  { manifest, fragments }: { manifest: Entry<Manifest>; fragments: readonly FolderEntry<Fragment>[] },
  platforms: readonly string[],
  findings: Finding[],
): void {
  for (const entry of fragments) {
    const { platforms: able } = entry.document;
    if (!able) continue;
    for (const platform of platforms) {
      if (able.includes(platform)) continue;
      findings.push({
        code: "PLATFORM_UNSUPPORTED",
        what: `${label(entry)} does not work on ${platform}`,
        where: manifest.place(["platforms"]),
        fix: `it works on ${able.join(", ")}`,
      });
    }
  }
}

/** Findings about fragments that do not work on a base. @param base the reference of an image, of no manifest */
export function baseFindings(
  { manifest, fragments }: { manifest: Entry<Manifest>; fragments: readonly FolderEntry<Fragment>[] },
  base: string,
  findings: Finding[],
): void {
  for (const entry of fragments) {
    const { bases } = entry.document;
    if (!bases || isOfFamily(base, bases)) continue;
    findings.push({
      code: "BASE_UNSUPPORTED",
      what: `${label(entry)} does not work on ${base}`,
      where: manifest.place(["base"]),
      fix: `it works on ${bases.join(", ")}`,
    });
  }
}
