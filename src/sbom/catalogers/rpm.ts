import type { About, Cataloger, Interest, Reducing } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import type { Pace } from "../pace.ts";
import { needsOf, purlOf, type OperatingSystem, type Package } from "../package.ts";
import type { ImagePath } from "../paths.ts";
import { rpmHeaders } from "../rpm-database.ts";
import { readRpmHeader, type RpmPackage } from "../rpm-header.ts";
import { spdxDeclared } from "../spdx.ts";

/** Where distributions have rpm's database, in the form that its name says. */
const DATABASE =
  /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/(?:rpmdb\.sqlite|Packages\.db|Packages)$/;

/** The packages of a database, as far as it can be read. */
function reduce(bytes: Buffer, { path, notes, matters }: Reducing): Buffer | null {
  const found: RpmPackage[] = [];
  try {
    for (const header of rpmHeaders(bytes)) {
      try {
        found.push(readRpmHeader(header, matters));
      } catch {
        notes.add("left out rpm packages whose headers are damaged", `/${path}`);
      }
    }
  } catch {
    notes.add("left out what cannot be read of rpm databases", `/${path}`);
  }
  return found.length === 0 ? null : Buffer.from(JSON.stringify(found));
}

const INTEREST: Interest = { limit: 512 << 20, beyond: "fail", reduce };

/** Distributions whose packages have another name than they themselves in package URLs. */
function namespaceOf(os: OperatingSystem | null): string {
  const id = os?.id ?? "";
  if (id === "rhel") return "redhat";
  return id.startsWith("opensuse") ? "opensuse" : id;
}

function packageOf(one: RpmPackage, path: ImagePath, os: OperatingSystem | null): Package | null {
  const { name, version, release, epoch, arch, source } = one;
  // Keys that packages are signed with are in the database too.
  if (name === "" || version === "" || name === "gpg-pubkey") return null;
  const qualifiers = {
    arch,
    distro: os?.distro ?? "",
    epoch: epoch === null ? "" : String(epoch),
    upstream: source,
  };
  const evr = `${version}-${release}`;
  const purl = purlOf("rpm", { group: namespaceOf(os), name, version: evr, qualifiers });
  if (purl === null) return null;
  return {
    purl,
    name,
    version: epoch === null ? evr : `${epoch}:${evr}`,
    license: spdxDeclared([one.license]),
    ...(one.vendor && { supplier: { name: one.vendor } }),
    paths: [`/${path}`],
    facts: {
      arch,
      source,
      "syft:package:metadataType": "rpm-db-entry",
      "syft:package:type": "rpm",
      "syft:metadata:sourceRpm": source,
    },
    needs: [],
  };
}

const packagesIn = (files: ImageFiles, path: ImagePath) =>
  JSON.parse(files.read(path)?.toString("utf8") ?? "[]") as RpmPackage[];

/** What a package needs: another's name, a file, or anything else that another provides. */
async function link(found: readonly { package: Package; rpm: RpmPackage }[], pace: Pace): Promise<void> {
  const providers = new Map<string, string>();
  for (const { package: own, rpm } of found)
    for (const name of [...rpm.provides, ...rpm.files.map((file) => `/${file}`)])
      if (!providers.has(name)) providers.set(name, own.purl);
  for (const [at, { package: own, rpm }] of found.entries()) {
    const needs = rpm.requires.flatMap((name) => providers.get(name) ?? providers.get(`/usr${name}`) ?? []);
    own.needs = needsOf(own.purl, needs);
    if (pace.due()) await pace.rest("rpm packages, what they need", at, found.length);
  }
}

/** The rpm packages of an image. */
async function catalog(files: ImageFiles, { os, pace }: About): Promise<Package[]> {
  const found: { package: Package; rpm: RpmPackage }[] = [];
  for (const path of files.paths.filter((one) => DATABASE.test(one)))
    for (const rpm of packagesIn(files, path)) {
      const made = packageOf(rpm, path, os);
      if (made) found.push({ package: made, rpm });
      if (pace.due()) await pace.rest("rpm packages read", found.length, null);
    }
  await link(found, pace);
  return found.map((one) => one.package);
}

/** The files of interest that rpm put there. */
async function owned(
  files: ImageFiles,
  packages: readonly Package[],
  pace: Pace,
): Promise<Map<ImagePath, string>> {
  const keyOf = (name: string, arch: string, source: string) => `${name}\0${arch}\0${source}`;
  const purls = new Map(
    packages.map(({ name, facts, purl }) => [keyOf(name, facts.arch ?? "", facts.source ?? ""), purl]),
  );
  const owners = new Map<ImagePath, string>();
  for (const path of files.paths.filter((one) => DATABASE.test(one)))
    for (const { name, arch, source, files: its } of packagesIn(files, path)) {
      const purl = purls.get(keyOf(name, arch, source));
      if (purl !== undefined) for (const file of its) owners.set(files.resolve(file) ?? file, purl);
      if (pace.due()) await pace.rest("rpm packages, their files", owners.size, null);
    }
  return owners;
}

export const rpm: Cataloger = {
  wants: (path, base) =>
    (base === "rpmdb.sqlite" || base.startsWith("Packages")) && DATABASE.test(path) ? INTEREST : null,
  shape: 1,
  catalog,
  owned,
};
