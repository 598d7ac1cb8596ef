import { lstatSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import { compareText } from "../model/compare.ts";
import { listed, quoted } from "../model/visible.ts";
import type { Lock, Workspace } from "../schemas/types.ts";
import type { Entry, Library, LibraryOf } from "./catalog.ts";
import type { Loaded } from "./document.ts";
import { FOLDER_KINDS, type FolderKind } from "./kinds-of-documents.ts";
import { type LibraryContent, libraryContent } from "./library-content.ts";
import { isWhole, leadsOut } from "./library-rules.ts";
import { isId, sharedId, splitSharedId } from "./names.ts";
import { listFolder, realFolder } from "./read.ts";

/**
 * What a library has to be before it is used: `locked`: what factory.lock says; `kept`: that, or not yet in it; `any`: what is
 * there now.
 */
export type LibraryTrust = "locked" | "kept" | "any";

/** Where artifacts are unpacked: each library below its name, so that paths in Dockerfiles do not change with its digest. */
const UNPACKED = ".factory/libraries";

/** In the folder of an unpacked library: the artifact that it came from. */
export const ORIGIN_FILE = "origin";

/** The folder of an artifact's library, from the root. */
export function unpackedFolder(name: string): string {
  return `${UNPACKED}/${name}`;
}

/** Where a library comes from, as factory.lock has it: an artifact without its digest. */
export function libraryOrigin({ source }: Library): string {
  return source.path ?? (source.oci ?? "").replace(/@sha256:[a-f0-9]{64}$/, "");
}

/** Whether the artifact that factory.yaml names has been unpacked: its digest says which one it is, whatever its tag. */
export function isUnpacked(root: string, { name, source }: Library): boolean {
  const file = join(root, unpackedFolder(name), ORIGIN_FILE);
  const [digest] = /@sha256:[a-f0-9]{64}$/.exec(source.oci ?? "") ?? [];
  if (digest === undefined || lstatSync(file, { throwIfNoEntry: false }) === undefined) return false;
  return readRegular(file, 1024)?.bytes.toString().endsWith(`${digest}\n`) ?? false;
}

/** The libraries that factory.yaml declares, as far as it can be read, sorted by name. */
export function declaredLibraries(settings: Loaded<Workspace>): Library[] {
  return Object.entries(settings.sound.libraries ?? {})
    .flatMap(([name, source]) => {
      if ((source?.path === undefined) === (source?.oci === undefined)) return [];
      if (source?.path !== undefined && (leadsOut(source.path) || isWhole(source.path))) return [];
      return [{ name, source: source ?? {}, where: settings.place(["libraries", name]) }];
    })
    .sort((a, b) => compareText(a.name, b.name));
}

/** Where fragments and templates are: the workspace's own, and those of libraries, such as `company.core`. */
export interface Libraries {
  /** The ids of all of them, sorted. @throws FactoryError LIBRARY_*, FILE_* if a library is not there */
  ids: (kind: FolderKind) => string[];
  /**
   * The folder that holds the versions of something, from the root.
   * @throws FactoryError LIBRARY_*, FILE_* if its library is not what it has to be
   */
  folderOf: (kind: FolderKind, id: string) => { folder: string; own: string; library: LibraryOf | null };
  /** What a library holds now, whatever it has to be. @throws FactoryError LIBRARY_*, FILE_* */
  content: (library: Library) => LibraryContent;
}

interface Around {
  declared: () => readonly Library[];
  lock: () => Entry<Lock> | null;
  trust: LibraryTrust;
  onProgress: (text: string) => void;
}

/** The folder of a library, from the root and without links. @throws FactoryError LIBRARY_MISSING, FILE_* */
function folderOf(root: string, library: Library): string {
  const { name, source, where } = library;
  const missing = (fix: string) =>
    new FactoryError("LIBRARY_MISSING", `the library ${name} is not there`, { where, fix });
  if (source.path === undefined) {
    if (!isUnpacked(root, library)) throw missing("run the command again where its registry can be reached");
    return realFolder(root, unpackedFolder(name));
  }
  if (isWhole(source.path)) return ".";
  try {
    return realFolder(root, source.path.replace(/(?<=.)\/+$/, ""));
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    if (error.code === "FILE_MISSING")
      throw missing(`there is no ${quoted(source.path)}: check the submodule out, or install the package`);
    throw new FactoryError(error.code, error.message, { where, fix: error.fix, cause: error });
  }
}

function checkContent(library: Library, digest: string, { lock, trust }: Around): void {
  if (trust === "any") return;
  const { name, where, source } = library;
  const entry = lock();
  const byOrigin = entry?.document.libraries?.[name] ?? {};
  const locked = Object.hasOwn(byOrigin, libraryOrigin(library))
    ? byOrigin[libraryOrigin(library)]
    : undefined;
  if (locked === digest || (locked === undefined && trust === "kept")) return;
  if (locked === undefined) {
    throw new FactoryError("LIBRARY_UNLOCKED", `factory.lock does not say what the library ${name} holds`, {
      where,
      fix: "run `factory lock`, and commit factory.lock",
    });
  }
  throw new FactoryError(
    "LIBRARY_CHANGED",
    `the library ${name} is not what factory.lock says: ${digest.slice(0, 19)}…, not ${locked.slice(0, 19)}…`,
    {
      where,
      fix:
        source.path === undefined
          ? `remove ${unpackedFolder(name)} to have it fetched again; if factory.yaml names another digest on purpose, run \`factory library update ${name}\``
          : `bring back what it was (\`git submodule update\`, \`npm ci\`), or take what it is now with \`factory library update ${name}\``,
    },
  );
}

/** @param root real path of the workspace */
export function openLibraries(root: string, around: Around): Libraries {
  const folders = new Map<string, string>();
  const contents = new Map<string, LibraryContent>();
  const checked = new Set<string>();

  const placeOf = (library: Library): string => {
    const known = folders.get(library.name);
    if (known !== undefined) return known;
    const folder = folderOf(root, library);
    const [twin] = [...folders].find(([, other]) => other === folder) ?? [];
    if (twin !== undefined) {
      throw new FactoryError(
        "LIBRARY_TWICE",
        `the libraries ${twin} and ${library.name} are the same folder`,
        {
          where: library.where,
          fix: "keep one of the two: a fragment has one id",
        },
      );
    }
    folders.set(library.name, folder);
    return folder;
  };
  const content = (library: Library): LibraryContent => {
    const known = contents.get(library.name);
    if (known) return known;
    const read = libraryContent(root, placeOf(library), library.where, around.onProgress);
    contents.set(library.name, read);
    return read;
  };
  const idsIn = (folder: string): string[] =>
    listFolder(root, folder).flatMap(({ name, kind }) => (kind === "folder" && isId(name) ? [name] : []));
  const own = (library: Library, kind: FolderKind): string[] =>
    idsIn(`${placeOf(library)}/${FOLDER_KINDS[kind].folder}`);

  return {
    ids: (kind) => {
      const shared = around
        .declared()
        .flatMap((library) => own(library, kind).map((name) => sharedId(library.name, name)));
      const all = [...idsIn(FOLDER_KINDS[kind].folder), ...shared];
      return shared.length === 0 ? all : all.sort(compareText);
    },
    folderOf: (kind, id) => {
      const { library: name, own: ownId } = splitSharedId(id);
      const below = `${FOLDER_KINDS[kind].folder}/${ownId}`;
      if (name === null) return { folder: below, own: ownId, library: null };
      const library = around.declared().find((one) => one.name === name);
      if (!library) {
        const names = around.declared().map((one) => one.name);
        throw new FactoryError("UNKNOWN_LIBRARY", `there is no library ${quoted(name)}`, {
          fix:
            names.length === 0
              ? "declare it under `libraries:` in factory.yaml"
              : `there are: ${listed(names)}`,
        });
      }
      if (!checked.has(name)) {
        checkContent(library, content(library).digest, around);
        checked.add(name);
      }
      const fragments = own(library, "fragment");
      return { folder: `${placeOf(library)}/${below}`, own: ownId, library: { name, fragments } };
    },
    content,
  };
}
