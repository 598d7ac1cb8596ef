import { join } from "node:path";
import type { Library } from "../catalog/catalog.ts";
import { isUnpacked, libraryOrigin, unpackedFolder } from "../catalog/libraries.ts";
import { type OpenCatalog, openCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { listed } from "../files/listing.ts";
import { readRegular } from "../files/read-regular.ts";
import { replaceFolder, type TreeFile } from "../files/replace-folder.ts";
import { MOST_BYTES } from "./artifact.ts";
import { fetchLibraries, type Registries, unpackInto } from "./fetch-library.ts";
import { lockedDigest } from "./state.ts";

/** The files of a library that is there, if it holds what another workspace's lock says; undefined otherwise. */
function filesAtHand(now: OpenCatalog, library: Library, locked: string): Map<string, TreeFile> | undefined {
  const folder = library.source.path ?? unpackedFolder(library.name);
  const files = new Map<string, TreeFile>();
  try {
    const { digest, trees } = now.libraryContent(library);
    if (digest !== locked) return undefined;
    for (const [name, tree] of trees) {
      for (const { path, mode } of listed(name, tree)) {
        const bytes = path.endsWith("/")
          ? undefined
          : readRegular(join(now.root, folder, path), MOST_BYTES)?.bytes;
        const key = path.replace(/\/$/, "");
        if (path.endsWith("/")) files.set(key, "folder");
        else if (bytes) files.set(key, { bytes, executable: mode === "0755" });
        else return undefined;
      }
    }
    return files;
  } catch (error) {
    if (error instanceof FactoryError) return undefined;
    throw error;
  }
}

/** Whether a library holds what the lock beside it says. */
function isRight(catalog: OpenCatalog, library: Library, locked: string): boolean {
  try {
    return catalog.libraryContent(library).digest === locked;
  } catch (error) {
    if (error instanceof FactoryError) return false;
    throw error;
  }
}

/**
 * Brings the libraries of an exported workspace to where they are looked for. What version control does not hold (submodules,
 * packages, artifacts) is taken from the workspace as it is now, if it is the same; an artifact is fetched otherwise.
 * @param root absolute path of the workspace as it is now
 * @param then the exported one, with the libraries' folders as far as these were exported
 * @returns why one cannot be had; null if all are there
 */
export async function librariesThen(
  root: string,
  then: OpenCatalog,
  registries: () => Promise<Registries>,
): Promise<string | null> {
  const now = openCatalog(root, { trust: "any", libraries: then.libraries() });
  for (const library of then.libraries()) {
    const { name, source } = library;
    const locked = lockedDigest(then, library);
    if (locked === null) return `factory.lock did not say what the library ${name} held`;
    if (isRight(openCatalog(then.root, { trust: "any", libraries: [library] }), library, locked)) continue;
    const files =
      source.oci === undefined || isUnpacked(root, library) ? filesAtHand(now, library, locked) : undefined;
    if (files && source.oci !== undefined) unpackInto(then.root, library, files);
    else if (files) replaceFolder(join(then.root, source.path ?? ""), files);
    else if (source.oci === undefined)
      return `the library ${name} (${libraryOrigin(library)}) held something else then, which is not at hand`;
    else {
      try {
        await fetchLibraries(then.root, [library], await registries(), () => undefined);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        return error.message;
      }
    }
  }
  return null;
}
