import type { About, Cataloger, Interest } from "../cataloger.ts";
import { copyrightIn } from "../copyright.ts";
import { cpeOf } from "../cpe.ts";
import type { ImageFiles } from "../image-files.ts";
import type { Pace } from "../pace.ts";
import { parseContact, purlOf, type OperatingSystem, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { field, stanzasIn, type Stanza } from "../stanza.ts";

const STATUS: ImagePath = "var/lib/dpkg/status";
const PART = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;
const LIST = /^var\/lib\/dpkg\/info\/([^/:]+)(?::([^/:]+))?\.list$/;
const COPYRIGHT = /^usr\/share\/doc\/[^/]+\/copyright$/;

const DATABASE: Interest = { limit: 192 << 20, beyond: "fail" };
const DOCUMENT: Interest = { limit: 1 << 20, beyond: "skip" };
const FILES: Interest = { limit: 64 << 20, beyond: "skip", part: "paths" };

/** A file of status.d, where images without dpkg have their packages. */
const isPart = (path: ImagePath) => PART.test(path) && !path.endsWith(".md5sums");

function wants(path: ImagePath, base: string): Interest | null {
  if (base === "copyright") return COPYRIGHT.test(path) ? DOCUMENT : null;
  if (!path.startsWith("var/lib/dpkg/")) return null;
  if (path === STATUS) return DATABASE;
  if (isPart(path)) return DOCUMENT;
  return LIST.test(path) ? FILES : null;
}

/** States in which a package's files are in the image (dpkg(1)). */
const PRESENT = new Set(["installed", "triggers-awaited", "triggers-pending", "half-configured", "unpacked"]);

/** The state of a package whose files are there; null for any other. Without `Status` (status.d) it counts as installed. */
export function presentState(stanza: Stanza): string | null {
  const state = field(stanza, "status").trim().split(/\s+/)[2] ?? "installed";
  const named = field(stanza, "package") !== "" && field(stanza, "version") !== "";
  return named && PRESENT.has(state) ? state : null;
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

/** The source package. `own`: whether it has another name, or another version, than the package itself. */
function sourceOf(stanza: Stanza, name: string, version: string) {
  const [, source = name, given] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(field(stanza, "source")) ?? [];
  const sourceVersion = given?.trim() || version;
  const upstream = sourceVersion === version ? (source === name ? "" : source) : `${source}@${sourceVersion}`;
  return { source, sourceVersion, upstream };
}

/** What syft reads back, so that a document that it converts keeps the source package. */
function syftFacts(source: string, version: string, own: string): Record<string, string> {
  return {
    "syft:package:metadataType": "dpkg-db-entry",
    "syft:package:type": "deb",
    "syft:metadata:source": source,
    ...(version !== own && { "syft:metadata:sourceVersion": version }),
  };
}

function packageOf(
  stanza: Stanza,
  { path, state }: { path: ImagePath; state: string },
  files: ImageFiles,
  os: OperatingSystem | null,
): Package | null {
  const name = field(stanza, "package");
  const version = field(stanza, "version");
  const arch = field(stanza, "architecture");
  const { source, sourceVersion, upstream } = sourceOf(stanza, name, version);
  const qualifiers = { arch, distro: os?.distro ?? "", upstream };
  const purl = purlOf("deb", { group: os?.id || "debian", name, version, qualifiers });
  if (purl === null) return null;
  const file = files.read(`usr/share/doc/${name}/copyright`);
  const copyright = file && copyrightIn(file);
  return {
    purl,
    cpe: cpeOf(source, sourceVersion),
    name,
    version,
    license: copyright?.license ?? null,
    supplier: parseContact(field(stanza, "maintainer")),
    paths: [`/${path}`],
    facts: {
      arch,
      source,
      source_version: sourceVersion,
      ...(state !== "installed" && { state }),
      ...(copyright && {
        copyright_file: `/usr/share/doc/${name}/copyright`,
        copyright_sha256: copyright.sha256,
      }),
      ...(upstream !== "" && syftFacts(source, sourceVersion, version)),
    },
    needs: [],
  };
}

/** Packages by a name that they have or provide. */
interface Named {
  first: Package;
  byArch: Map<string, Package>;
}

/** Fills in `needs`: of each clause the first alternative that is installed, or that an installed package provides. */
async function link(found: readonly { package: Package; stanza: Stanza }[], pace: Pace): Promise<void> {
  const byName = new Map<string, Named>();
  const enter = (name: string, one: Package) => {
    const named = byName.get(name) ?? { first: one, byArch: new Map<string, Package>() };
    const { arch = "" } = one.facts;
    if (!named.byArch.has(arch)) named.byArch.set(arch, one);
    byName.set(name, named);
  };
  for (const one of found) enter(one.package.name, one.package);
  for (const [at, one] of found.entries()) {
    for (const [name = ""] of parseRelations(field(one.stanza, "provides"))) enter(name, one.package);
    if (pace.due()) await pace.rest("Debian packages, what they provide", at, found.length);
  }
  for (const [at, { package: own, stanza }] of found.entries()) {
    const clauses = [
      ...parseRelations(field(stanza, "pre-depends")),
      ...parseRelations(field(stanza, "depends")),
    ];
    const needs = clauses.flatMap((clause) => {
      const named = clause.map((name) => byName.get(name)).find((some) => some !== undefined);
      const best = named && (named.byArch.get(own.facts.arch ?? "") ?? named.first);
      return best && best.purl !== own.purl ? [best.purl] : [];
    });
    own.needs = [...new Set(needs)];
    if (pace.due()) await pace.rest("Debian packages, what they need", at, found.length);
  }
}

/** The Debian packages of an image: dpkg's status file, and the status.d folder of images without dpkg. */
async function catalog(files: ImageFiles, { os, notes, pace }: About): Promise<Package[]> {
  const found: { package: Package; stanza: Stanza }[] = [];
  for (const path of [STATUS, ...files.paths.filter(isPart)]) {
    const bytes = files.read(path);
    if (!bytes) continue;
    let read = 0;
    for (const stanza of stanzasIn(bytes)) {
      read += 1;
      if (pace.due()) await pace.rest("Debian packages read", read, null);
      const state = presentState(stanza);
      if (state === null) continue;
      const made = packageOf(stanza, { path, state }, files, os);
      if (made) found.push({ package: made, stanza });
      else notes.add("left out Debian packages that can have no package URL", field(stanza, "package"));
    }
  }
  await link(found, pace);
  return found.map((one) => one.package);
}

/** The files of interest that dpkg put there: packages of another kind that came as Debian packages. */
async function owned(
  files: ImageFiles,
  packages: readonly Package[],
  pace: Pace,
): Promise<Map<ImagePath, string>> {
  const byName = new Map<string, string>();
  for (const { name, facts, purl } of packages) {
    byName.set(`${name}:${facts.arch ?? ""}`, purl);
    if (!byName.has(name)) byName.set(name, purl);
  }
  const owners = new Map<ImagePath, string>();
  const lists = files.paths.filter((path) => path.startsWith("var/lib/dpkg/info/"));
  for (const [at, path] of lists.entries()) {
    if (pace.due()) await pace.rest("Debian packages, their files", at, lists.length);
    const [, name = "", arch] = LIST.exec(path) ?? [];
    const purl = byName.get(arch === undefined ? name : `${name}:${arch}`);
    if (purl === undefined) continue;
    for (const line of files.read(path)?.toString("utf8").split("\n") ?? []) {
      if (!line.endsWith("/copyright")) owners.set(files.resolve(line.slice(1)) ?? line.slice(1), purl);
    }
  }
  return owners;
}

export const dpkg: Cataloger = { wants, shape: 3, catalog, owned };
