import { isNpmLock, isNpmPackage } from "./interest.ts";
import type { ImageFiles } from "./merge.ts";
import { purlOf, type Catalogue, type Package } from "./package.ts";
import { folderOf, type ImagePath } from "./paths.ts";

type Json = { readonly [key: string]: unknown };

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

const textOf = (value: unknown) => (typeof value === "string" ? value.trim() : "");

function parseJson(text: string): Json {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}

/** The part of a package.json that an inventory needs. */
export interface NpmManifest {
  name: string;
  version: string;
  licenses: string[];
  author: string;
  /** The names of what it needs at run time. */
  needs: string[];
}

/** Reads a package.json; null where the text is not one, or names no package (a folder's own settings). */
export function parsePackageJson(text: string): NpmManifest | null {
  const json = parseJson(text);
  const name = textOf(json.name);
  const version = textOf(json.version);
  if (!/^(?:@[^/@\s]+\/)?[^/@\s]+$/.test(name) || version === "" || /\s/.test(version)) return null;
  const declared = [json.license, ...(Array.isArray(json.licenses) ? (json.licenses as unknown[]) : [])];
  const licenses = declared.map((one) => textOf(one) || textOf(objectOf(one).type)).filter(Boolean);
  const author = textOf(json.author) || textOf(objectOf(json.author).name);
  const needs = [
    ...Object.keys(objectOf(json.dependencies)),
    ...Object.keys(objectOf(json.optionalDependencies)),
  ];
  return { name, version, licenses, author, needs };
}

interface LockEntry {
  version: string;
  sha512: string | null;
  optional: boolean;
}

/** The packages of a node_modules/.package-lock.json, by their path from the folder that holds node_modules. */
export function parseNpmLock(text: string): Map<string, LockEntry> {
  const entries = new Map<string, LockEntry>();
  for (const [path, value] of Object.entries(objectOf(parseJson(text).packages))) {
    const entry = objectOf(value);
    const [, base64] = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)/.exec(textOf(entry.integrity)) ?? [];
    const sha512 = base64 === undefined ? null : Buffer.from(base64, "base64").toString("hex");
    const optional = entry.optional === true || entry.dev === true || entry.devOptional === true;
    entries.set(path, { version: textOf(entry.version), sha512, optional });
  }
  return entries;
}

function lockEntries(files: ImageFiles): Map<ImagePath, LockEntry> {
  const all = new Map<ImagePath, LockEntry>();
  for (const path of files.paths.filter(isNpmLock)) {
    const root = folderOf(folderOf(path));
    for (const [relative, entry] of parseNpmLock(files.read(path)?.toString("utf8") ?? "")) {
      all.set(root === "" ? relative : `${root}/${relative}`, entry);
    }
  }
  return all;
}

function packageOf(manifest: NpmManifest, path: ImagePath, locked: LockEntry | undefined): Package | null {
  const slash = manifest.name.indexOf("/");
  const group = slash < 0 ? undefined : manifest.name.slice(0, slash);
  const name = manifest.name.slice(slash + 1);
  const purl = purlOf("npm", { group, name, version: manifest.version });
  if (purl === null) return null;
  const entry = locked?.version === manifest.version ? locked : undefined;
  return {
    ecosystem: "npm",
    purl,
    group,
    name,
    version: manifest.version,
    licenses: manifest.licenses,
    ...(manifest.author && { author: manifest.author }),
    ...(entry?.sha512 && { sha512: entry.sha512 }),
    optional: entry?.optional ?? false,
    paths: [`/${path}`],
    facts: {},
    needs: [],
  };
}

/** The package that `require(name)` in a folder finds: the nearest node_modules upward that has it. */
function nearest(
  files: ImageFiles,
  byFolder: Map<ImagePath, string>,
  folder: ImagePath,
  name: string,
): string[] {
  for (let at = folder; ; at = folderOf(at)) {
    const purl = byFolder.get(
      files.resolve(at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`) ?? "",
    );
    if (purl !== undefined) return [purl];
    if (at === "") return [];
  }
}

/** The npm packages below any node_modules of an image; symlinked packages (pnpm, workspaces) count once. */
export function catalogNpm(files: ImageFiles): Catalogue {
  const locked = lockEntries(files);
  const byFolder = new Map<ImagePath, string>();
  const warnings: string[] = [];
  const found = files.paths.filter(isNpmPackage).flatMap((path) => {
    const manifest = parsePackageJson(files.read(path)?.toString("utf8") ?? "");
    const folder = folderOf(path);
    const made = manifest && packageOf(manifest, path, locked.get(folder));
    if (!made) {
      warnings.push(`left out /${path}: it names no npm package and version`);
      return [];
    }
    byFolder.set(folder, made.purl);
    return [{ package: made, folder, needs: manifest.needs }];
  });
  for (const one of found) {
    const needs = one.needs.flatMap((name) => nearest(files, byFolder, one.folder, name));
    one.package.needs = needs.filter((purl) => purl !== one.package.purl);
  }
  return { packages: found.map((one) => one.package), warnings };
}
