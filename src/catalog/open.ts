import { lstatSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { errorOf, FactoryError } from "../errors.ts";
import { checkOwnFolders } from "../files/own-folders.ts";
import type { ErrorCode } from "../errors.ts";
import type { Documents } from "../schemas/types.ts";
import type { Catalog, Entry, Library } from "./catalog.ts";
import { loadDocument } from "./document.ts";
import type { Loaded } from "./document.ts";
import { FILE_KINDS, type FileKind, FOLDER_KINDS, type FolderKind } from "./kinds-of-documents.ts";
import { type LoadedFolder, loadVersion } from "./load-version.ts";
import { declaredLibraries, openLibraries, type LibraryTrust } from "./libraries.ts";
import { ofLibrary } from "./library-documents.ts";
import { isId } from "./names.ts";
import { listFolder } from "./read.ts";
import { LOCAL_FILE, secretSettings } from "./secret-settings.ts";
import { settingsOf } from "./settings.ts";
import { didYouMean } from "./suggest.ts";
import { schemeOf, withOneScheme } from "./scheme-of.ts";
import { SCHEMES } from "./schemes/schemes.ts";
import { isVersion, sortVersions } from "./versions.ts";
import { type WholeManifest, wholeManifest } from "./whole-manifest.ts";
import { listed, quoted } from "../model/visible.ts";

const SETTINGS_FILE = "factory.yaml";
/** The file that `factory lock` writes, beside factory.yaml. */
export const LOCK_FILE = "factory.lock";

export interface CatalogOptions {
  /** What libraries have to be. Default: what factory.lock says. */
  trust?: LibraryTrust;
  /** Libraries in place of those that factory.yaml declares. */
  libraries?: readonly Library[];
  /** See Catalog. */
  onProgress?: (text: string) => void;
}

/** A catalog that also gives documents with findings, as far as these can be used. */
export interface OpenCatalog extends Catalog {
  loadSettings: () => Loaded<Documents["workspace"]>;
  /** factory.local.yaml; null if there is none. */
  loadLocal: () => Loaded<Documents["local"]> | null;
  /** A manifest with what it extends and the defaults filled in. @throws FactoryError if there is none */
  loadManifest: (id: string) => WholeManifest;
  /** @throws FactoryError if there is no such document */
  loadFile: <K extends FileKind>(kind: K, id: string) => Loaded<Documents[K]>;
  /** @throws FactoryError if there is no such document */
  loadFolder: <K extends FolderKind>(kind: K, id: string, version: string) => LoadedFolder<Documents[K]>;
}

/** Whether a folder has a factory.yaml, readable or not: reading it says what is wrong with it. */
function isWorkspace(folder: string): boolean {
  return lstatSync(join(folder, SETTINGS_FILE), { throwIfNoEntry: false }) !== undefined;
}

const NAME_ONE = "name one with --workspace DIR or FACTORY_WORKSPACE, or make one with `factory init`";

/**
 * The nearest folder that has a factory.yaml, from the given one upward.
 * @throws FactoryError WORKSPACE_NOT_FOUND
 */
export function findWorkspace(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (isWorkspace(folder)) return folder;
    if (dirname(folder) !== folder) continue;
    throw new FactoryError(
      "WORKSPACE_NOT_FOUND",
      `no ${SETTINGS_FILE} in ${quoted(resolve(from))} or above it`,
      { fix: NAME_ONE },
    );
  }
}

/** Remembers what a function gave for a key, for as long as the catalog is used. */
function remember<T>(compute: (key: string) => T): (key: string) => T {
  const kept = new Map<string, T>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const value = compute(key);
    kept.set(key, value);
    return value;
  };
}

function unknown(code: ErrorCode, what: string, word: string, known: readonly string[]): FactoryError {
  const guess = didYouMean(word, known);
  const fix = guess
    ? `did you mean \`${guess}\`?`
    : known.length === 0
      ? "there are none yet"
      : `there are: ${listed(known)}`;
  return new FactoryError(code, what, { fix });
}

function entryOf<T, E extends Entry<T>>(loaded: Loaded<T> & { entry?: E }): E {
  if (loaded.entry) return loaded.entry;
  throw errorOf(loaded.findings);
}

/** factory.lock. Nobody has to repair it by hand: `factory lock` writes a new one. */
function readLock(root: string): Entry<Documents["lock"]> | null {
  const { entry, findings } = loadDocument("lock", root, LOCK_FILE, {});
  if (entry) return entry;
  if (findings.some(({ code }) => code === "FILE_MISSING")) return null;
  const fix = "restore it from version control, or remove it and run `factory lock`";
  throw errorOf(findings.map((one) => (one.code.startsWith("FILE_") && one.fix ? one : { ...one, fix })));
}

/**
 * Opens a workspace. Nothing is read before it is needed, and nothing is read twice.
 * @param root the folder that has the factory.yaml
 * @throws FactoryError WORKSPACE_NOT_FOUND; FILE_OUTSIDE or FILE_UNREADABLE if `records` or `.factory` leads out of it or is
 * not a folder
 */
export function openCatalog(
  root: string,
  { trust = "locked", onProgress, libraries: given }: CatalogOptions = {},
): OpenCatalog {
  if (root.includes("\0") || !isWorkspace(root)) {
    throw new FactoryError("WORKSPACE_NOT_FOUND", `there is no ${SETTINGS_FILE} in ${quoted(root)}`, {
      fix: NAME_ONE,
    });
  }
  const real = realpathSync.native(root);
  checkOwnFolders(real);

  const ids = remember((kind) =>
    listFolder(real, FILE_KINDS[kind as FileKind].folder).flatMap(({ name, kind: item }) => {
      const id = name.endsWith(".yaml") ? name.slice(0, -".yaml".length) : "";
      return item !== "folder" && isId(id) ? [id] : [];
    }),
  );
  const settings = remember(() => loadDocument("workspace", real, SETTINGS_FILE, {}));
  const lock = remember(() => readLock(real));
  const declared = remember(() => given ?? declaredLibraries(settings("")));
  const libraries = openLibraries(real, {
    declared: () => declared(""),
    lock: () => lock(""),
    trust,
    onProgress: (text) => onProgress?.(text),
  });
  const names = remember((kind) => libraries.ids(kind as FolderKind));
  const schemes = remember((name) => schemeOf(real, libraries.folderOf("fragment", name).folder));
  const fragmentScheme = (name: string) =>
    names("fragment").includes(name) ? schemes(name) : SCHEMES.semver;
  /** By kind/id; only for ids that exist. */
  const versionsOf = remember((key) => {
    const [kind, id] = key.split("/") as [FolderKind, string];
    const items = listFolder(real, libraries.folderOf(kind, id).folder);
    const scheme = kind === "fragment" ? fragmentScheme(id) : SCHEMES.semver;
    return sortVersions(
      items.flatMap(({ name, kind: item }) => (item === "folder" && isVersion(name, scheme) ? [name] : [])),
      scheme,
    );
  });
  const versions = (kind: FolderKind, id: string) =>
    names(kind).includes(id) ? [...versionsOf(`${kind}/${id}`)] : [];

  const local = remember(() => loadDocument("local", real, LOCAL_FILE, {}));
  const loadLocal = () =>
    local("").findings.some(({ code, where }) => code === "FILE_MISSING" && where?.file === LOCAL_FILE)
      ? null
      : local("");
  const files = remember((key) => {
    const [kind, id] = key.split("/") as [FileKind, string];
    return loadDocument(kind, real, `${FILE_KINDS[kind].folder}/${id}.yaml`, {
      [FILE_KINDS[kind].field]: id,
    });
  });
  const folders = remember((key) => {
    const [kind, id, version] = key.split("/") as [FolderKind, string, string];
    const at = libraries.folderOf(kind, id);
    const own = loadVersion(kind, real, at, version);
    const loaded = at.library ? ofLibrary(kind, own, at.library) : own;
    return kind === "fragment" ? withOneScheme(loaded, fragmentScheme(id)) : loaded;
  });

  const loadFile = <K extends FileKind>(kind: K, id: string) => {
    if (ids(kind).includes(id)) return files(`${kind}/${id}`) as Loaded<Documents[K]>;
    throw unknown(FILE_KINDS[kind].unknown, `there is no ${kind} ${quoted(id)}`, id, ids(kind));
  };
  const isAbstract = (id: string) => loadFile("manifest", id).sound.abstract === true;
  const wholes = remember((id) =>
    wholeManifest(loadFile("manifest", id), {
      settings: settings(""),
      manifest: (other) => (ids("manifest").includes(other) ? loadFile("manifest", other) : undefined),
      ids: () => ids("manifest"),
    }),
  );
  const loadManifest = (id: string): WholeManifest => {
    // Its own error where there is none.
    loadFile("manifest", id);
    return wholes(id);
  };
  const loadFolder = <K extends FolderKind>(kind: K, id: string, version: string) => {
    const code = FOLDER_KINDS[kind].unknown;
    if (!names(kind).includes(id)) throw unknown(code, `there is no ${kind} ${quoted(id)}`, id, names(kind));
    const known = versions(kind, id);
    if (known.includes(version)) return folders(`${kind}/${id}/${version}`) as LoadedFolder<Documents[K]>;
    throw new FactoryError(code, `the ${kind} ${quoted(id)} has no version ${quoted(version)}`, {
      fix: known.length === 0 ? "it has none yet" : `there are: ${listed(known)}`,
    });
  };

  return {
    root: real,
    onProgress,
    settings: () => settingsOf(entryOf(settings("")).document),
    secrets: () => {
      const own = loadLocal();
      return secretSettings([entryOf(settings("")), ...(own ? [entryOf(own)] : [])]);
    },
    libraries: () => declared(""),
    libraryContent: libraries.content,
    lock: () => lock(""),
    manifestIds: () => [...ids("manifest")],
    planIds: () => [...ids("plan")],
    policyIds: () => [...ids("policy")],
    poolIds: () => [...ids("pool")],
    productIds: () => [...ids("product")],
    fragmentNames: () => [...names("fragment")],
    fragmentVersions: (name) => versions("fragment", name),
    fragmentScheme,
    templateIds: () => [...names("template")],
    templateVersions: (id) => versions("template", id),
    isAbstract,
    imageIds: () => ids("manifest").filter((id) => !isAbstract(id)),
    manifest: (id) => {
      if (!isAbstract(id)) return entryOf(loadManifest(id));
      const { place } = loadFile("manifest", id);
      throw new FactoryError("MANIFEST_ABSTRACT", `the manifest ${quoted(id)} is only there to be extended`, {
        where: place(["abstract"]),
        fix: "name one of those that extend it, or remove `abstract`",
      });
    },
    plan: (id) => entryOf(loadFile("plan", id)),
    policy: (id) => entryOf(loadFile("policy", id)),
    pool: (id) => entryOf(loadFile("pool", id)),
    product: (id) => entryOf(loadFile("product", id)),
    fragment: (name, version) => entryOf(loadFolder("fragment", name, version)),
    template: (id, version) => entryOf(loadFolder("template", id, version)),
    loadSettings: () => settings(""),
    loadLocal,
    loadManifest,
    loadFile,
    loadFolder,
  };
}
