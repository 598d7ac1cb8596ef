import type { About, Cataloger, Interest } from "../cataloger.ts";
import type { ImageFiles } from "../image-files.ts";
import { purlOf, type Package } from "../package.ts";
import { baseOf, folderOf, foldersAbove, type ImagePath } from "../paths.ts";
import { parseNpmLock, parsePackageJson, type LockEntry, type NpmManifest } from "./npm-files.ts";

const DOCUMENT: Interest = { limit: 1 << 20, beyond: "skip" };
const LOCK: Interest = { limit: 16 << 20, beyond: "skip" };

const IN_MODULES = /(?:^|\/)node_modules\//;
const MODULE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;
const MODULES_LOCK = /(?:^|\/)node_modules\/\.package-lock\.json$/;
/** Folders in which a package.json is an example or a test's, whatever it says. */
const EXAMPLES = /(?:^|\/)(?:__tests__|__fixtures__|fixtures|testdata)\//;

function wants(path: ImagePath, base: string): Interest | null {
  if (base === ".package-lock.json") return MODULES_LOCK.test(path) ? LOCK : null;
  if (base !== "package.json") return null;
  if (IN_MODULES.test(path)) return MODULE.test(path) ? DOCUMENT : null;
  return EXAMPLES.test(path) ? null : DOCUMENT;
}

const isLock = (path: ImagePath) => baseOf(path) === ".package-lock.json" && MODULES_LOCK.test(path);
const isManifest = (path: ImagePath) => baseOf(path) === "package.json";

/** Where Debian's Node.js looks for packages beside node_modules. */
const DEBIAN_FOLDERS = /^usr\/(?:share|lib|lib\/[^/]+)\/nodejs$/;

interface Found {
  manifest: NpmManifest | null;
  /** The folder of the package, without a leading `/`. */
  folder: ImagePath;
}

function lockEntries(files: ImageFiles): Map<ImagePath, LockEntry> {
  const all = new Map<ImagePath, LockEntry>();
  for (const path of files.paths.filter(isLock)) {
    const root = folderOf(folderOf(path));
    for (const [relative, entry] of parseNpmLock(files.read(path)?.toString("utf8") ?? "")) {
      all.set(root === "" ? relative : `${root}/${relative}`, entry);
    }
  }
  return all;
}

/** Whether the pattern of a `workspaces` list matches a folder: `packages/*`, `apps/**`, `tool`. */
function matches(pattern: string, folder: string): boolean {
  const wanted = pattern.replace(/^\.\//, "").replace(/\/+$/, "").split("/");
  const parts = folder.split("/");
  if (wanted.at(-1) === "**") {
    wanted.pop();
    if (parts.length > wanted.length) parts.length = wanted.length;
  }
  return wanted.length === parts.length && wanted.every((want, at) => want === "*" || want === parts[at]);
}

/**
 * Whether a package.json outside node_modules stands for a package of the image. One that lies inside another package is
 * mostly a test's, an example, or a setting for a folder: it counts where the package above declares it as a workspace,
 * or where a link in some node_modules leads to it.
 */
function isInstalled(
  folder: ImagePath,
  all: ReadonlyMap<ImagePath, Found>,
  linked: ReadonlySet<ImagePath>,
): boolean {
  if (linked.has(folder)) return true;
  for (const above of foldersAbove(folder)) {
    const enclosing = above === "" ? undefined : all.get(above);
    if (!enclosing) continue;
    const relative = folder.slice(above.length + 1);
    return enclosing.manifest?.workspaces.some((pattern) => matches(pattern, relative)) ?? false;
  }
  return true;
}

function packageOf(manifest: NpmManifest, path: ImagePath, locked: LockEntry | undefined): Package | null {
  const { name, version } = manifest;
  if (name === "" || version === "") return null;
  const slash = name.indexOf("/");
  const group = slash < 0 ? undefined : name.slice(0, slash);
  const base = name.slice(slash + 1);
  const purl = purlOf("npm", { group, name: base, version });
  if (purl === null) return null;
  const entry = locked?.version === version ? locked : undefined;
  return {
    purl,
    group,
    name: base,
    version,
    license: manifest.license,
    ...(manifest.author && { author: manifest.author }),
    ...(entry?.sha512 && { sha512: entry.sha512 }),
    optional: entry?.optional ?? false,
    paths: [`/${path}`],
    facts: manifest.private ? { private: "true" } : {},
    needs: [],
  };
}

/** Finds the package that `require(name)` in a folder finds. */
function createLookup(files: ImageFiles, byFolder: ReadonlyMap<ImagePath, string>) {
  /** Folders that have a node_modules with something in it. */
  const sites = new Set<ImagePath>();
  const debian = new Set<ImagePath>();
  for (const path of [...byFolder.keys(), ...files.links]) {
    const parts = path.split("/");
    for (const [at, part] of parts.entries())
      if (part === "node_modules") sites.add(parts.slice(0, at).join("/"));
    const folder = folderOf(path);
    for (const some of [folder, folderOf(folder)]) if (DEBIAN_FOLDERS.test(some)) debian.add(some);
  }
  const at = (path: ImagePath) => byFolder.get(files.resolve(path) ?? "");
  return (folder: ImagePath, name: string): string | undefined => {
    for (const site of [folder, ...foldersAbove(folder)]) {
      const found = sites.has(site)
        ? at(site === "" ? `node_modules/${name}` : `${site}/node_modules/${name}`)
        : undefined;
      if (found !== undefined) return found;
    }
    for (const site of debian) {
      const found = at(`${site}/${name}`);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/**
 * The npm packages of an image: those below any node_modules, and those that lie elsewhere (the application itself,
 * Debian's /usr/share/nodejs). Packages behind links (pnpm, workspaces) count once.
 */
async function catalog(files: ImageFiles, { notes, pace }: About): Promise<Package[]> {
  const all = new Map<ImagePath, Found>();
  const paths = files.paths.filter(isManifest);
  for (const [at, path] of paths.entries()) {
    const manifest = parsePackageJson(files.read(path)?.toString("utf8") ?? "");
    all.set(folderOf(path), { manifest, folder: folderOf(path) });
    if (pace.due()) await pace.rest("npm packages read", at, paths.length);
  }
  const linked = new Set(
    files.links.filter((path) => IN_MODULES.test(path)).map((path) => files.resolve(path) ?? ""),
  );
  const locked = lockEntries(files);
  const byFolder = new Map<ImagePath, string>();
  const found: { package: Package; folder: ImagePath; needs: string[] }[] = [];
  for (const { manifest, folder } of all.values()) {
    const path = `${folder === "" ? "" : `${folder}/`}package.json`;
    const inModules = MODULE.test(path);
    if (!inModules && !isInstalled(folder, all, linked)) continue;
    const made = manifest && packageOf(manifest, path, locked.get(folder));
    if (made) {
      byFolder.set(folder, made.purl);
      found.push({ package: made, folder, needs: manifest.needs });
    } else if (inModules) notes.add("left out files that name no npm package and version", `/${path}`);
    if (pace.due()) await pace.rest("npm packages", found.length, all.size);
  }
  const lookup = createLookup(files, byFolder);
  for (const [at, { package: own, folder, needs }] of found.entries()) {
    const keys = new Set<string>();
    for (const name of needs) {
      const key = lookup(folder, name);
      if (key !== undefined && key !== own.purl) keys.add(key);
      if (pace.due()) await pace.rest("npm packages, what they need", at, found.length);
    }
    own.needs = [...keys];
  }
  return found.map((one) => one.package);
}

export const npm: Cataloger = { wants, shape: 2, catalog };
