import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { SCHEMES } from "../catalog/schemes/schemes.ts";
import type { Finding } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment } from "../schemas/types.ts";
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

/** Requirements and conflicts among the chosen fragments. */
export function checkContracts(
  fragments: readonly FolderEntry<Fragment>[],
  manifest: Entry<Manifest>,
  findings: Finding[],
): void {
  const byName = new Map(fragments.map((entry) => [entry.document.name, entry]));
  for (const entry of fragments) {
    for (const [name, range] of Object.entries(entry.document.requires ?? {})) {
      const other = byName.get(name);
      if (!other) {
        // A name whose range is not satisfied already has a finding of its own.
        if (Object.hasOwn(manifest.document.fragments, name)) continue;
        findings.push({
          code: "REQUIRES_MISSING",
          what: `${label(entry)} requires ${name} ${range}, which is not among the fragments`,
          where: manifest.place(["fragments", entry.document.name]),
          fix: `add \`${name}: "${range}"\` under \`fragments:\``,
        });
      } else if (!allows(range, other)) {
        findings.push({
          code: "REQUIRES_VERSION",
          what: `${label(entry)} requires ${name} ${range}, and ${label(other)} is chosen`,
          where: manifest.place(["fragments", entry.document.name]),
          fix: `choose another version of ${name} or of ${entry.document.name}`,
        });
      }
    }
    for (const [name, range] of Object.entries(entry.document.conflicts ?? {})) {
      const other = byName.get(name);
      if (!other || !allows(range, other)) continue;
      findings.push({
        code: "CONFLICT",
        what: `${label(entry)} conflicts with ${name} ${range}, and ${label(other)} is chosen`,
        where: manifest.place(["fragments", entry.document.name]),
        fix: `choose another version of ${name} or of ${entry.document.name}`,
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
