import { relative, resolve, sep } from "node:path";
import type { Catalog, Library } from "../catalog/catalog.ts";
import { isLibraryName } from "../catalog/names.ts";
import { isUnpacked } from "../catalog/libraries.ts";
import { leadsOut } from "../catalog/library-rules.ts";
import type { LibraryContent } from "../catalog/library-content.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { parseReference, referenceText } from "../model/image-reference.ts";
import { quoted } from "../model/visible.ts";
import { type LibraryChange, libraryChanges } from "./changes.ts";
import { fetchFiles, type Registries, unpackInto } from "./fetch-library.ts";
import { lastLocked } from "./state.ts";
import { catalogWith, checkDocuments, recordLibrary } from "./record-library.ts";
import { pinned } from "./versions-of.ts";

/** What became of a library. */
export interface LibraryUpdate {
  library: Library;
  /** The catalog in which it is what it became. */
  catalog: OpenCatalog;
  /** What factory.lock said, and what it says now: digests of the content. */
  before: string | null;
  after: string;
  /** Where it came from before; the same as now if only its content differs. */
  from: Library["source"];
  /** null where nothing is known of what it held before. */
  changes: LibraryChange[] | null;
}

/** Checks a library as it is to be, and writes that down. */
function settle(
  catalog: Catalog,
  library: Library,
  old: { before: string | null; from: Library["source"]; content: LibraryContent | null },
): LibraryUpdate {
  const next = catalogWith(catalog, library);
  const content = next.libraryContent(library);
  checkDocuments(next, library);
  recordLibrary(catalog.root, library, content.digest);
  const { before, from } = old;
  const isKnown = before === content.digest || old.content?.digest === before;
  const changes =
    before === content.digest ? [] : old.content && isKnown ? libraryChanges(old.content, content) : null;
  return { library, catalog: next, before, after: content.digest, from, changes };
}

async function fetched(root: string, library: Library, registries: Registries): Promise<void> {
  unpackInto(root, library, await fetchFiles(parseReference(library.source.oci ?? ""), registries));
}

/**
 * Adds a library to factory.yaml and factory.lock.
 * @param source `oci://HOST/REPOSITORY:TAG`, or the path of a folder of the workspace
 * @param cwd absolute: where a path starts
 * @throws FactoryError USAGE if there is one of that name; LIBRARY_*, REGISTRY_*, REFERENCE_INVALID, FILE_*, LOCK_EDITED
 */
export async function addLibrary(
  catalog: Catalog,
  { name, source, cwd }: { name: string; source: string; cwd: string },
  registries: () => Promise<Registries>,
): Promise<LibraryUpdate> {
  const where = { file: "factory.yaml" };
  if (!isLibraryName(name)) {
    throw new FactoryError("USAGE", `${quoted(name)} cannot be the name of a library`, {
      fix: "use lower-case letters and digits with `_` between them, starting with a letter; not `args`, `base` or `platform`",
    });
  }
  if (catalog.libraries().some((one) => one.name === name)) {
    throw new FactoryError("USAGE", `there is already a library ${quoted(name)}`, {
      fix: `choose another name, or run \`factory library update ${name}\``,
    });
  }
  const none = { before: null, content: null };
  if (source.startsWith("oci://")) {
    const oci = referenceText(await pinned(parseReference(source), await registries()));
    const library: Library = { name, source: { oci }, where };
    await fetched(catalog.root, library, await registries());
    return settle(catalog, library, { ...none, from: library.source });
  }
  const path = relative(catalog.root, resolve(cwd, source)).split(sep).join("/") || ".";
  if (leadsOut(path)) {
    throw new FactoryError("FILE_OUTSIDE", `${quoted(source)} is not in the workspace`, {
      fix: "bring it in as a submodule or a package, or push it as an artifact and name that with oci://",
    });
  }
  const library: Library = { name, source: { path }, where };
  return settle(catalog, library, { ...none, from: library.source });
}

/**
 * Takes what a library is now: what its tag means, or what is in its folder.
 * @param library as it is declared
 * @param to another tag, which it is to follow from now on
 * @throws FactoryError LIBRARY_*, REGISTRY_*, FILE_*, LOCK_EDITED
 */
export async function updateLibrary(
  catalog: OpenCatalog,
  library: Library,
  to: string | undefined,
  registries: () => Promise<Registries>,
): Promise<LibraryUpdate> {
  const before = lastLocked(catalog, library);
  const { source } = library;
  if (source.oci === undefined && to !== undefined) {
    throw new FactoryError("USAGE", `the library ${library.name} is a folder, which has no tags`, {
      where: library.where,
      fix: "leave --to out",
    });
  }
  if (source.oci === undefined) return settle(catalog, library, { before, from: source, content: null });
  const { root } = catalog;
  const content = isUnpacked(root, library) ? catalog.libraryContent(library) : null;
  const declared = { ...parseReference(source.oci), ...(to === undefined ? {} : { tag: to }) };
  // Without a tag it is what its digest says, for ever.
  const now =
    declared.tag === null ? declared : await pinned({ ...declared, digest: null }, await registries());
  const next: Library = { ...library, source: { oci: referenceText(now) } };
  if (!isUnpacked(root, next)) await fetched(root, next, await registries());
  return settle(catalog, next, { before, from: source, content });
}
