import type { Catalog, Library } from "../catalog/catalog.ts";
import { libraryContent } from "../catalog/library-content.ts";
import { splitSharedId } from "../catalog/names.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { parseReference, referenceText } from "../model/image-reference.ts";
import { sha256 } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import { EMPTY_CONFIG, MANIFEST_TYPE, packLibrary } from "./artifact.ts";
import type { Registries } from "./fetch-library.ts";
import { catalogWith, checkDocuments } from "./record-library.ts";

/** What was pushed, or was there already. */
export interface Pushed {
  /** With its tag and its digest. */
  ref: string;
  digest: string;
  /** Of the content. */
  content: string;
  /** Versions of fragments and of templates. */
  fragments: number;
  templates: number;
  bytes: number;
  /** Whether the registry had it under this tag already. */
  unchanged: boolean;
}

/** A name for the workspace's own fragments, as whoever uses them may call them. */
const SELF = "self";

/** The workspace's own fragments and templates, looked at as those of a library. @throws FactoryError with all findings */
function checkAsLibrary(catalog: Catalog): Library {
  const library: Library = { name: SELF, source: { path: "." }, where: { file: "factory.yaml" } };
  checkDocuments(catalogWith(catalog, library), library);
  return library;
}

const countOwn = (ids: readonly string[], versionsOf: (id: string) => readonly string[]): number =>
  ids.reduce((sum, id) => sum + (splitSharedId(id).library === null ? versionsOf(id).length : 0), 0);

/**
 * Pushes the workspace's own fragments and templates as a library.
 * @param to `oci://HOST/REPOSITORY:TAG`
 * @param options.replace whether a tag that holds something else is moved
 * @throws FactoryError LIBRARY_*, REGISTRY_*, REFERENCE_INVALID, FILE_*
 */
export async function pushLibrary(
  catalog: OpenCatalog,
  to: string,
  { replace, registries }: { replace: boolean; registries: () => Promise<Registries> },
): Promise<Pushed> {
  const reference = parseReference(to);
  const { tag } = reference;
  if (tag === null || reference.digest !== null) {
    throw new FactoryError("REFERENCE_INVALID", `${quoted(to)} does not name a tag to push to`, {
      fix: "write HOST/REPOSITORY:TAG, such as `ghcr.io/team/fragments:1.0.0`",
    });
  }
  checkAsLibrary(catalog);
  const content = libraryContent(
    catalog.root,
    ".",
    { file: "factory.yaml" },
    catalog.onProgress ?? (() => undefined),
  );
  const { manifest, layer, digest } = await packLibrary(catalog.root, content);
  const { repository, again, signal } = await registries();
  const client = repository(reference);
  const there = await again(() => client.headManifest(tag, { signal }));
  if (there !== null && there !== digest && !replace) {
    throw new FactoryError("LIBRARY_TAG_TAKEN", `${quoted(referenceText(reference))} holds something else`, {
      fix: "push it under another tag: who uses the library may count on this one; or move the tag with --replace",
    });
  }
  if (there !== digest) {
    for (const bytes of [EMPTY_CONFIG, layer])
      await again(() => client.putBlob({ digest: sha256(bytes), size: bytes.length }, bytes, { signal }));
    await again(() => client.putManifest(tag, manifest, MANIFEST_TYPE, { signal }));
  }
  return {
    ref: referenceText({ ...reference, digest }),
    digest,
    content: content.digest,
    fragments: countOwn(catalog.fragmentNames(), catalog.fragmentVersions),
    templates: countOwn(catalog.templateIds(), catalog.templateVersions),
    bytes: layer.length,
    unchanged: there === digest,
  };
}
