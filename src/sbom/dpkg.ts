import { licensesIn } from "./copyright.ts";
import { FIXED_PATHS, isDpkgPart } from "./interest.ts";
import type { ImageFiles } from "./merge.ts";
import { parseContact, purlOf, type Catalogue, type OperatingSystem, type Package } from "./package.ts";
import { field, parseStanzas, type Stanza } from "./stanza.ts";

/** States in which a package's files are in the image (dpkg(1)). */
const PRESENT = new Set(["installed", "triggers-awaited", "triggers-pending", "half-configured", "unpacked"]);

interface Found {
  stanza: Stanza;
  path: string;
  state: string;
}

/** The packages of a dpkg database whose files are there. Without `Status` (status.d) a package counts as installed. */
export function parseDpkg(text: string, path: string): Found[] {
  return parseStanzas(text).flatMap((stanza) => {
    const state = field(stanza, "status").trim().split(/\s+/)[2] ?? "installed";
    const named = field(stanza, "package") !== "" && field(stanza, "version") !== "";
    return named && PRESENT.has(state) ? [{ stanza, path, state }] : [];
  });
}

/** The names in a dependency field: of each clause all alternatives, without versions and architectures. */
export function parseRelations(text: string): string[][] {
  return text
    .split(",")
    .map((clause) =>
      clause.split("|").flatMap((alternative) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(alternative)?.[1] ?? []),
    )
    .filter((clause) => clause.length > 0);
}

function sourceOf(stanza: Stanza, version: string): { source: string; source_version: string } {
  const [, name, own] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(field(stanza, "source")) ?? [];
  return { source: name ?? field(stanza, "package"), source_version: own ?? version };
}

function packageOf(
  { stanza, path, state }: Found,
  files: ImageFiles,
  os: OperatingSystem | null,
): Package | null {
  const name = field(stanza, "package");
  const version = field(stanza, "version");
  const arch = field(stanza, "architecture");
  const qualifiers = { arch, distro: os?.distro ?? "" };
  const purl = purlOf("deb", { group: os?.id || "debian", name, version, qualifiers });
  if (purl === null) return null;
  const copyright = `usr/share/doc/${name}/copyright`;
  return {
    ecosystem: "deb",
    purl,
    name,
    version,
    licenses: licensesIn(files.read(copyright)),
    supplier: parseContact(field(stanza, "maintainer")),
    paths: [`/${path}`],
    facts: { arch, ...sourceOf(stanza, version), ...(state !== "installed" && { state }) },
    needs: [],
  };
}

/** Fills in `needs`: of each clause the first alternative that is installed, or that an installed package provides. */
function link(found: readonly { package: Package; stanza: Stanza }[]): void {
  const byName = new Map<string, Package[]>();
  const enter = (name: string, one: Package) => byName.set(name, [...(byName.get(name) ?? []), one]);
  for (const one of found) enter(one.package.name, one.package);
  for (const one of found) {
    for (const [name = ""] of parseRelations(field(one.stanza, "provides"))) enter(name, one.package);
  }
  for (const { package: own, stanza } of found) {
    const clauses = [
      ...parseRelations(field(stanza, "pre-depends")),
      ...parseRelations(field(stanza, "depends")),
    ];
    own.needs = clauses.flatMap((clause) => {
      const alternatives = clause.map((name) => byName.get(name)).find((some) => some !== undefined) ?? [];
      const best = alternatives.find((some) => some.facts.arch === own.facts.arch) ?? alternatives[0];
      return best && best.purl !== own.purl ? [best.purl] : [];
    });
  }
}

/** The Debian packages of an image: dpkg's status file, and the status.d folder of images without dpkg. */
export function catalogDpkg(files: ImageFiles, os: OperatingSystem | null): Catalogue {
  const parts = files.paths.filter(isDpkgPart);
  const warnings: string[] = [];
  const found = [FIXED_PATHS.dpkg, ...parts].flatMap((path) => {
    const text = files.read(path)?.toString("utf8");
    return text === undefined ? [] : parseDpkg(text, path);
  });
  const linked = found.flatMap((one) => {
    const made = packageOf(one, files, os);
    if (made) return [{ package: made, stanza: one.stanza }];
    warnings.push(`left out the Debian package ${field(one.stanza, "package")}: it has no package URL`);
    return [];
  });
  link(linked);
  return { packages: linked.map((one) => one.package), warnings };
}
