import type { Catalog, Entry } from "../catalog/catalog.ts";
import { readText } from "../catalog/read.ts";
import { FactoryError } from "../errors.ts";
import { sha256 } from "../model/digest.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Fragment } from "../schemas/types.ts";
import type { HashOf } from "../smoke/kinds/kind.ts";
import { ofCatalog } from "./memo.ts";

const textsOf = ofCatalog(() => new Map<string, string>());

/**
 * The text of a script of smoke tests. It is read once: what runs is what was hashed, whatever happens to the file
 * meanwhile.
 * @param path from the workspace's root
 * @throws FactoryError FILE_*
 */
export function scriptText(catalog: Catalog, path: string): string {
  const texts = textsOf(catalog);
  const known = texts.get(path);
  if (known !== undefined) return known;
  const text = readText(catalog.root, path);
  texts.set(path, text);
  return text;
}

/**
 * Hashes the scripts that a document's tests name. A script that cannot be read is a fault of the line that names it.
 * @param folder the fragment's, from the root; empty for a manifest
 */
export function scriptHashes(
  catalog: Catalog,
  entry: Entry<Fragment> | Entry<Manifest>,
  folder = "",
): HashOf {
  return (path) => {
    try {
      return sha256(scriptText(catalog, path));
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      const name = folder === "" ? path : path.slice(folder.length + 1);
      const at = (entry.document.smoke ?? []).findIndex(({ script }) => script?.path === name);
      const where = entry.place(["smoke", at, "script", "path"]);
      throw new FactoryError(error.code, error.message, { where, fix: error.fix, cause: error });
    }
  };
}
