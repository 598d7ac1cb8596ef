import type { Catalog } from "../../catalog/catalog.ts";
import { libraryOrigin } from "../../catalog/libraries.ts";
import { parseTemplateRef, splitSharedId } from "../../catalog/names.ts";
import type { Needs, VersionNeed } from "./needs.ts";
import { subjectKey } from "./lock.ts";
import { sourcesOf } from "./sources.ts";

/** The libraries that each of these manifests takes something from, by manifest. */
function librariesBy(catalog: Catalog, manifestIds?: readonly string[]): Map<string, Set<string | null>> {
  return new Map(
    sourcesOf(catalog, manifestIds).manifests.map(({ document }) => {
      const ids = [parseTemplateRef(document.template)?.id ?? "", ...Object.keys(document.fragments)];
      return [document.manifest_id, new Set(ids.map((id) => splitSharedId(id).library))];
    }),
  );
}

/**
 * The content of every library that factory.yaml declares.
 * @param manifestIds only libraries that these manifests use. Default: all, used or not
 * @throws FactoryError LIBRARY_*, FILE_*, and what is wrong with the manifests
 */
export function libraryNeeds(catalog: Catalog, manifestIds?: readonly string[]): Needs<VersionNeed> {
  const needs: Needs<VersionNeed> = new Map();
  const libraries = catalog.libraries();
  if (libraries.length === 0) return needs;
  const used = librariesBy(catalog, manifestIds);
  for (const library of libraries) {
    const { name, where } = library;
    const manifests = [...used].flatMap(([id, names]) => (names.has(name) ? [id] : []));
    if (manifestIds && manifests.length === 0) continue;
    const subject = { kind: "library", name, at: libraryOrigin(library) } as const;
    needs.set(subjectKey(subject), {
      ...subject,
      where,
      manifests,
      newest: () => catalog.libraryContent(library).digest,
      holds: (value) => typeof value === "string",
    });
  }
  return needs;
}
