import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError, type Finding, type Place } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment } from "../schemas/types.ts";
import { label } from "./contracts.ts";
import { sourcesNamed } from "./fragment-body.ts";
import type { DeclaredSource } from "./source.ts";

/** The sources that a fragment names, with the place in its Dockerfile.hbs; none if that cannot be read. */
function namedBy(entry: FolderEntry<Fragment>): ReadonlyMap<string, Place> {
  try {
    return sourcesNamed(entry);
  } catch (error) {
    // It is reported when the fragment is rendered.
    if (error instanceof FactoryError) return new Map();
    throw error;
  }
}

/** The names of a fragment's sources: those of its contract, and those that its Dockerfile.hbs uses. */
function namesOf(entry: FolderEntry<Fragment>, named: ReadonlyMap<string, Place>): string[] {
  return [...new Set([...Object.keys(entry.document.sources ?? {}), ...named.keys()])];
}

/** Findings about names in a manifest that no fragment uses. */
function unusedFindings({ document, place }: Entry<Manifest>, used: ReadonlySet<string>): Finding[] {
  return Object.keys(document.sources ?? {}).flatMap((name): Finding[] => {
    if (used.has(name)) return [];
    const guess = didYouMean(name, [...used]);
    return [
      {
        code: "SOURCE_UNDECLARED",
        what: `no fragment of ${document.manifest_id} uses a source \`${name}\``,
        where: place(["sources", name]),
        fix: guess
          ? `did you mean \`${guess}\`?`
          : `copy it in a fragment, with {{source "${name}"}}, or remove it`,
      },
    ];
  });
}

/**
 * The sources of each fragment. What the manifest says of a name replaces what a fragment says of it, field by field, for
 * every fragment that uses the name. Unknown names, and sources without a path, are findings.
 * @returns in the order of the fragments
 */
export function resolveSources(
  manifest: Entry<Manifest>,
  fragments: readonly FolderEntry<Fragment>[],
  findings: Finding[],
): DeclaredSource[][] {
  const used = new Set<string>();
  const given = manifest.document.sources ?? {};
  const resolved = fragments.map((entry) => {
    const own = entry.document.sources ?? {};
    const named = namedBy(entry);
    return namesOf(entry, named).flatMap((name): DeclaredSource[] => {
      used.add(name);
      const ofManifest = Object.hasOwn(given, name) ? given[name] : undefined;
      const ofFragment = Object.hasOwn(own, name) ? own[name] : undefined;
      const add = `\`sources: {${name}: {path: …}}\` to ${manifest.file}`;
      if (!ofManifest && !ofFragment) {
        const guess = didYouMean(name, [...Object.keys(given), ...Object.keys(own)]);
        findings.push({
          code: "SOURCE_UNDECLARED",
          what: `${label(entry)} copies the source \`${name}\`, which neither ${manifest.document.manifest_id} nor the fragment declares`,
          where: named.get(name),
          fix: guess ? `did you mean \`${guess}\`?` : `add ${add}`,
        });
        return [];
      }
      const path = ofManifest?.path ?? ofFragment?.path;
      if (path === undefined) {
        findings.push({
          code: "SOURCE_INVALID",
          what: `nobody says where the source \`${name}\` of ${label(entry)} is`,
          where: ofManifest
            ? manifest.place(["sources", name])
            : manifest.place(["fragments", entry.document.name]),
          fix: ofManifest ? "give it a `path`" : `add ${add}`,
        });
        return [];
      }
      const { ignore = ofFragment?.ignore ?? [], from_gitignore = ofFragment?.from_gitignore ?? false } =
        ofManifest ?? {};
      const where =
        ofManifest?.path === undefined
          ? entry.place(["sources", name, "path"])
          : manifest.place(["sources", name, "path"]);
      return [{ name, path, ignore, from_gitignore, where }];
    });
  });
  findings.push(...unusedFindings(manifest, used));
  return resolved;
}

/**
 * The sources of a fragment by itself, which nobody reads: a path that stands in for each.
 * @param known whether a manifest declares a source of this name
 */
export function standInSources(
  entry: FolderEntry<Fragment>,
  known: (name: string) => boolean,
): DeclaredSource[] {
  return namesOf(entry, namedBy(entry)).flatMap((name): DeclaredSource[] => {
    const isDeclared = Object.hasOwn(entry.document.sources ?? {}, name) || known(name);
    const where = { file: entry.file };
    return isDeclared ? [{ name, path: null, ignore: [], from_gitignore: false, where }] : [];
  });
}
