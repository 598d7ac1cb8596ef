import type { About, Cataloger, Interest } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { isJavaArchive, javaArchivesIn, readJavaArchive, type JavaArchive } from "../java-archive.ts";
import { needsOf, purlOf, type DeclaredLicense, type Package } from "../package.ts";
import { baseOf, type ImagePath } from "../paths.ts";
import { spdxDeclared } from "../spdx.ts";

const ARCHIVE: Interest = { limit: 256 << 20, beyond: "skip", reduce: readJavaArchive };

/** Which package an archive is, or has in it. `group` is empty where nothing says it. */
export interface MavenId {
  group: string;
  artifact: string;
  version: string;
}

/** Values of Java's properties have no `${…}` once they are built. */
const plain = (text: string) => /^[^\s${}/\\:@?#%]+$/.test(text);

/** Reads a pom.properties (java.util.Properties, as Maven writes it); null if it does not name a package. */
export function parsePomProperties(text: string): MavenId | null {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^\s*([A-Za-z]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  const [group = "", artifact = "", version = ""] = ["groupId", "artifactId", "version"].map((name) =>
    values.get(name),
  );
  return [group, artifact, version].every(plain) ? { group, artifact, version } : null;
}

/** The main section of a manifest (the JAR file specification): names in lower case, lines put together again. */
export function parseManifest(text: string): Map<string, string> {
  const [main = ""] = text.replaceAll(/\r\n?/g, "\n").split(/\n(?:\n|$)/);
  const values = new Map<string, string>();
  for (const line of main.replaceAll("\n ", "").split("\n")) {
    const [, name, value = ""] = /^([A-Za-z0-9_-]+):(.*)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name.toLowerCase(), value.trim());
  }
  return values;
}

/** `guava-31.1-jre.jar` is guava in version 31.1-jre. */
export function parseArchiveName(name: string): { artifact: string; version: string } {
  const stem = name.replace(/\.[^.]*$/, "");
  const [, artifact = stem, version = ""] = /^(.+?)[-_](\d[^\s]*)$/.exec(stem) ?? [];
  return { artifact, version };
}

const VERSIONS = ["implementation-version", "bundle-version", "specification-version"];

function licenseOf(manifest: ReadonlyMap<string, string>): DeclaredLicense | null {
  const [text = ""] = (manifest.get("bundle-license") ?? "").split(";");
  const declared = spdxDeclared([text.replace(/^"(.*)"$/, "$1")]);
  // Mostly it is an address, or free text: neither is a licence's name.
  if (declared && "each" in declared && declared.each.some((one) => "name" in one)) return null;
  return declared;
}

/** What an archive is: what its only pom.properties says, or the one that its name is of; else its manifest and its name. */
function identify(archive: JavaArchive, path: ImagePath) {
  const manifest = parseManifest(archive.manifest);
  const named = parseArchiveName(baseOf(archive.within.at(-1) ?? path));
  const poms = archive.poms.flatMap((text) => parsePomProperties(text) ?? []);
  const only = poms.length === 1 ? poms[0] : undefined;
  const own = poms.find(({ artifact }) => artifact === named.artifact) ?? only;
  const version = VERSIONS.map((name) => manifest.get(name) ?? "").find(plain) ?? named.version;
  const group = manifest.get("implementation-vendor-id") ?? "";
  const self = own ?? {
    group: plain(group) ? group : "",
    artifact: named.artifact,
    version: plain(version) ? version : "",
  };
  return { self, others: poms.filter((one) => one !== own), license: licenseOf(manifest) };
}

function packageOf({ group, artifact, version }: MavenId, path: string): Package | null {
  if (artifact === "" || version === "") return null;
  // Package URLs of Maven need a group. One that nothing names is not made up.
  const parts = { group, name: artifact, version };
  const purl = group === "" ? purlOf("generic", { name: artifact, version }) : purlOf("maven", parts);
  if (purl === null) return null;
  return {
    purl,
    ...(group !== "" && { group }),
    name: artifact,
    version,
    license: null,
    paths: [path],
    facts: { "syft:package:language": "java", "syft:package:type": "java-archive" },
    needs: [],
  };
}

/** The packages of one file: of the archive itself, and of those in it, which it needs. */
function packagesOf(archives: readonly JavaArchive[], path: ImagePath): Package[] {
  const byPlace = new Map<string, Package>();
  const found: Package[] = [];
  for (const archive of archives) {
    const { self, others, license } = identify(archive, path);
    const where = [`/${path}`, ...archive.within].join("!/");
    const own = packageOf(self, where);
    const parts = others.flatMap((one) => packageOf(one, where) ?? []);
    const parent = byPlace.get(archive.within.slice(0, -1).join("\0"));
    if (own) {
      own.license = license;
      own.sha1 = archive.sha1;
      own.needs = parts.map((one) => one.purl);
      byPlace.set(archive.within.join("\0"), own);
      if (archive.within.length > 0) parent?.needs.push(own.purl);
    }
    found.push(...(own ? [own] : []), ...parts);
  }
  for (const one of found) one.needs = needsOf(one.purl, one.needs);
  return found;
}

/** The packages in the Java archives of an image, nested ones included. */
async function catalog(files: ImageFiles, { pace }: About): Promise<Package[]> {
  const found: Package[] = [];
  const paths = files.paths.filter(isJavaArchive);
  for (const [at, path] of paths.entries()) {
    found.push(...packagesOf(javaArchivesIn(files.read(path)), path));
    if (pace.due()) await pace.rest("Java archives", at, paths.length);
  }
  return found;
}

export const maven: Cataloger = {
  wants: (_path, base) => (isJavaArchive(base) ? ARCHIVE : null),
  shape: 1,
  catalog,
};
