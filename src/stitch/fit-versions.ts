import type { Catalog, Entry, FolderEntry } from "../catalog/catalog.ts";
import { versionsIn } from "../catalog/versions.ts";
import { type Finding, withPlace } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import type { Choice, Lowered, PickVersion } from "./choice.ts";
import { brokenContracts } from "./contracts.ts";
import { keep, ofCatalog } from "./memo.ts";
import { fillSlots } from "./slots.ts";
import { type Candidates, contradictionAmong, readable, solveVersions } from "./solve-versions.ts";

/** What versions are chosen for. */
interface About {
  catalog: Catalog;
  manifest: Entry<Manifest>;
  template: FolderEntry<Template>;
  choice: Choice;
}

type Fragments = readonly FolderEntry<Fragment>[];

const solvedOf = ofCatalog(
  () => new Map<PickVersion | undefined, Map<string, Map<string, string> | "none">>(),
);

/** What is asked of a fragment: a version or a range. */
function rangeOf({ manifest, choice }: About, name: string): string {
  const own = manifest.document.fragments[name] ?? "";
  return choice.set && Object.hasOwn(choice.set, name) ? (choice.set[name] ?? own) : own;
}

/**
 * The versions that a range allows, the preferred first: the one that a lock names, then the highest. With a lock, none is
 * later than the locked one: what has appeared since then is not chosen.
 */
function candidatesFor(about: About, { document: { name, version } }: FolderEntry<Fragment>): string[] {
  const { catalog, choice } = about;
  const scheme = catalog.fragmentScheme(name);
  const versions = catalog.fragmentVersions(name);
  const range = rangeOf(about, name);
  const isLocked = choice.pick?.("fragment", name, range, versions) !== undefined;
  const others = versionsIn(range, versions, scheme)
    .filter((one) => one !== version && !(isLocked && scheme.compare(one, version) > 0))
    .reverse();
  return [version, ...readable(catalog, name, others)];
}

/** The names of fragments in the order in which higher versions are preferred: that of the template. */
function preferred({ template, manifest }: About, fragments: Fragments): string[] {
  const ordered = fillSlots(template, fragments, manifest, []);
  return [...new Set([...ordered, ...fragments].map(({ document }) => document.name))];
}

/** Why each fragment that does not have the version that its range alone would give has another one. */
function loweredOf(before: Fragments, after: Fragments): Lowered[] {
  return after.flatMap((entry, at): Lowered[] => {
    const first = before[at];
    if (!first || first === entry) return [];
    const { name, version } = entry.document;
    const instead = after.map((one) => (one === entry ? first : one));
    const because = brokenContracts(instead).flatMap(({ what, between }) =>
      between.includes(name) ? what : [],
    );
    return [{ name, version, highest: first.document.version, because }];
  });
}

/**
 * The fragments with versions that fit together, where those that their ranges alone would give do not: see
 * docs/decisions/0027-solved-ranges.md. If none fit, or only exact versions are at odds, they stay as they are.
 * @param fragments with the version that a lock names, or the highest of the range
 * @throws FactoryError SEARCH_TOO_LONG
 */
export function fitVersions(
  about: About,
  fragments: Fragments,
): { fragments: Fragments; lowered: readonly Lowered[]; finding?: Finding } {
  const broken = brokenContracts(fragments);
  if (broken.length === 0) return { fragments, lowered: [] };
  const { catalog, manifest, choice } = about;
  const byName = new Map(fragments.map((entry) => [entry.document.name, entry]));
  const candidates: Candidates = new Map(
    preferred(about, fragments).flatMap((name) => {
      const entry = byName.get(name);
      return entry ? [[name, candidatesFor(about, entry)] as const] : [];
    }),
  );
  const isFree = (name: string) => (candidates.get(name)?.length ?? 0) > 1;
  if (broken.some(({ between }) => !between.some(isFree))) return { fragments, lowered: [] };
  const known = keep(solvedOf(catalog), choice.pick, () => new Map<string, Map<string, string> | "none">());
  const bounded = <T>(search: () => T) => withPlace("SEARCH_TOO_LONG", manifest.place(["fragments"]), search);
  const solved = keep(known, JSON.stringify([...candidates]), () =>
    bounded(() => solveVersions(catalog, candidates) ?? "none"),
  );
  if (solved === "none") {
    const asked = [...candidates].map(
      ([name, allowed]) => [name, { range: rangeOf(about, name), allowed }] as const,
    );
    const { names, why } = bounded(() => contradictionAmong(catalog, new Map(asked)));
    const finding: Finding = {
      code: "VERSIONS_CONTRADICT",
      what: `no versions of ${names.join(", ")} fit together: ${why.join("; ")}`,
      where: manifest.place(["fragments", names[0] ?? ""]),
      fix: "widen one of these ranges, or add a version that fits",
    };
    return { fragments, lowered: [], finding };
  }
  const fitting = fragments.map((entry) => {
    const { name, version } = entry.document;
    const chosen = solved.get(name) ?? version;
    return chosen === version ? entry : catalog.fragment(name, chosen);
  });
  return { fragments: fitting, lowered: loweredOf(fragments, fitting) };
}
