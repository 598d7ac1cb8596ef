import { join, posix } from "node:path";
import { FactoryError, type Place } from "../errors.ts";
import { type Listing, listed } from "../files/listing.ts";
import { readTree, type TreeRules } from "../files/read-tree.ts";
import { digestOf, sha256Hex } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import { FOLDER_KINDS } from "./kinds-of-documents.ts";
import { listFolder } from "./read.ts";

/** What a library gives: everything else beside it does not count. */
export const LIBRARY_FOLDERS: readonly string[] = Object.values(FOLDER_KINDS).map(({ folder }) => folder);

const SCHEME = "factory/library/1";

/** The files of a library. */
export interface LibraryContent {
  /** Over their names, contents and modes: the same wherever the library lies. */
  digest: string;
  /** By the name of its folder, `fragments` or `templates`, as far as these are there. */
  trees: ReadonlyMap<string, Listing>;
}

/** Nothing is left out: what is not hashed could change unseen. */
const EVERYTHING: TreeRules = { ignores: () => false, within: () => EVERYTHING };

function invalid(what: string, where: Place, fix: string): FactoryError {
  return new FactoryError("LIBRARY_INVALID", what, { where, fix });
}

/**
 * Reads a library. Hashes of files that have not changed are kept.
 * @param root real path of the workspace
 * @param folder the library's, from there and without links
 * @param where where it is declared
 * @throws FactoryError LIBRARY_INVALID if there is nothing in it, or something else than files and folders; FILE_*
 */
export function libraryContent(
  root: string,
  folder: string,
  where: Place,
  onProgress: (text: string) => void,
): LibraryContent {
  const trees = new Map<string, Listing>();
  for (const name of LIBRARY_FOLDERS) {
    const path = posix.join(folder, name);
    const item = listFolder(root, folder).find((one) => one.name === name);
    if (!item) continue;
    const cache = join(root, ".factory/hashes", sha256Hex(`library ${path}`).slice(0, 32));
    const tree = readTree({ root, path, rules: EVERYTHING, cache, where, onProgress });
    if (!tree.isFolder) throw invalid(`${quoted(path)} is not a folder`, where, "replace it with a folder");
    for (const { path: file, mode } of listed(path, tree))
      if (mode === "120000")
        throw invalid(`${quoted(file)} is a link`, where, "a library has files and folders only: replace it");
    trees.set(name, tree);
  }
  if (trees.size === 0) {
    const names = LIBRARY_FOLDERS.map((name) => `${name}/`).join(" nor ");
    throw invalid(
      `${quoted(folder)} has neither ${names}`,
      where,
      "correct its `path`; a submodule has to be checked out, a package installed",
    );
  }
  const digests = LIBRARY_FOLDERS.map((name) => [name, trees.get(name)?.sha256 ?? null]);
  return { digest: digestOf({ scheme: SCHEME, ...Object.fromEntries(digests) }), trees };
}
