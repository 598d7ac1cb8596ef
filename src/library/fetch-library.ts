import { buffer } from "node:stream/consumers";
import type { Library } from "../catalog/catalog.ts";
import { isUnpacked, ORIGIN_FILE, unpackedFolder } from "../catalog/libraries.ts";
import { FactoryError } from "../errors.ts";
import { insideWorkspace } from "../files/own-folders.ts";
import { replaceFolder, type TreeFile } from "../files/replace-folder.ts";
import { type ImageReference, parseReference, type RepositoryName } from "../model/image-reference.ts";
import { quoted } from "../model/visible.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";
import { ARTIFACT_TYPE, LAYER_TYPE, MANIFEST_TYPE, MOST_BYTES } from "./artifact.ts";
import { unpackLibrary } from "./unpack.ts";

/** What is asked of registries. */
export interface Registries {
  repository: (name: RepositoryName) => RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

interface Descriptor {
  mediaType?: unknown;
  digest?: unknown;
  size?: unknown;
}

function isDescriptor(value: Descriptor): value is { mediaType: string; digest: string; size: number } {
  return typeof value.digest === "string" && typeof value.size === "number";
}

/** The layer that a manifest of a library names. @throws FactoryError LIBRARY_INVALID */
function layerOf(bytes: Uint8Array, mediaType: string): { digest: string; size: number } {
  const invalid = (what: string) =>
    new FactoryError("LIBRARY_INVALID", `the artifact is no library: ${what}`, {
      fix: "use one that `factory library push` made",
    });
  if (mediaType !== MANIFEST_TYPE) throw invalid(`it is ${quoted(mediaType)}`);
  let manifest: { artifactType?: unknown; layers?: unknown };
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString()) as typeof manifest;
  } catch {
    throw invalid("its manifest is not JSON");
  }
  if (manifest?.artifactType !== ARTIFACT_TYPE) throw invalid(`its type is not ${ARTIFACT_TYPE}`);
  const layers: Descriptor[] = Array.isArray(manifest.layers) ? (manifest.layers as Descriptor[]) : [];
  const [layer] = layers;
  if (layers.length !== 1 || !layer || layer.mediaType !== LAYER_TYPE || !isDescriptor(layer))
    throw invalid(`it does not have one layer of ${LAYER_TYPE}`);
  return layer;
}

/**
 * The files of an artifact.
 * @param reference with a digest
 * @throws FactoryError LIBRARY_INVALID, REGISTRY_*
 */
export async function fetchFiles(
  { digest, ...name }: ImageReference,
  { repository, again, signal }: Registries,
): Promise<Map<string, TreeFile>> {
  const client = repository(name);
  return again(async () => {
    const { bytes, mediaType } = await client.manifest(digest ?? "", { signal });
    // What it is said to be is only known once all of it is here.
    const layer = await buffer(client.blob(layerOf(bytes, mediaType), { most: MOST_BYTES, signal }));
    return unpackLibrary(layer);
  });
}

/**
 * Puts the files of an artifact where the library that names it is looked for.
 * @param stays whether a folder of the same artifact may stay as it is: another process may be reading it
 * @throws FactoryError WRITE_FAILED, FILE_OUTSIDE
 */
export function unpackInto(
  root: string,
  library: Library,
  files: ReadonlyMap<string, TreeFile>,
  stays = false,
): void {
  const { name, source } = library;
  const origin: TreeFile = { bytes: Buffer.from(`${source.oci}\n`), executable: false };
  const all = new Map([...files, [ORIGIN_FILE, origin]]);
  replaceFolder(insideWorkspace(root, unpackedFolder(name)), all, () => stays && isUnpacked(root, library));
}

/**
 * Fetches libraries that factory.yaml names. Whether they hold what factory.lock says is checked when they are used.
 * @throws FactoryError REGISTRY_*, LIBRARY_INVALID, at the place that declares the library; WRITE_FAILED
 */
export async function fetchLibraries(
  root: string,
  libraries: readonly Library[],
  registries: Registries,
  say: (text: string) => void,
): Promise<void> {
  for (const library of libraries) {
    const { name, source, where } = library;
    say(`fetching the library ${name} from ${source.oci}`);
    try {
      unpackInto(root, library, await fetchFiles(parseReference(source.oci ?? ""), registries), true);
    } catch (error) {
      if (!(error instanceof FactoryError) || error.where) throw error;
      const what = `the library ${name} cannot be fetched: ${error.message}`;
      throw new FactoryError(error.code, what, { where, fix: error.fix, cause: error });
    }
  }
}
