import { buffer } from "node:stream/consumers";
import { FactoryError } from "../errors.ts";
import type { Referrer } from "../tools/oci/referrer-index.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";
import { BUNDLE_TYPE, bundleLayer, mayBeBundle, MOST_BUNDLE } from "./bundles.ts";

/** How a repository is read. */
export interface ReadDeps {
  client: RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

/** What others attached need not be what it says, or there at all. */
const NOT_USABLE: ReadonlySet<string> = new Set(["REGISTRY_CONTENT", "REGISTRY_NOT_FOUND"]);

/** Gives undefined where what a registry has is not what its digest or list says. */
export async function usable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FactoryError && NOT_USABLE.has(error.code)) return undefined;
    throw error;
  }
}

/** The most bundles of one kind that are read of an image. */
const MOST = 100;

/** All that is attached to an image, as its registry lists it. */
export async function attachedTo(
  { client, again, signal }: ReadDeps,
  digest: string,
): Promise<readonly Referrer[]> {
  return (await again(() => client.referrers(digest, { signal }))).found;
}

/**
 * The bundles of one kind among what is attached to an image, those at the end of the list first. What is none is passed over.
 * @param about `record_id`: of one record alone
 */
export async function* readBundles(
  { client, again, signal }: ReadDeps,
  attached: readonly Referrer[],
  about: { predicateType: string; record_id?: string | null },
): AsyncGenerator<Buffer> {
  const may = attached.filter(
    ({ artifactType, annotations }) =>
      (artifactType === BUNDLE_TYPE || artifactType === "" || artifactType.includes("empty")) &&
      mayBeBundle(annotations, about),
  );
  for (const { digest } of may.slice(-MOST).reverse()) {
    const manifest = await usable(again(() => client.manifest(digest, { signal })));
    const layer = manifest && bundleLayer(manifest.bytes);
    if (!layer || layer.size > MOST_BUNDLE) continue;
    const bundle = await usable(again(() => buffer(client.blob(layer, { most: MOST_BUNDLE, signal }))));
    if (bundle) yield bundle;
  }
}
