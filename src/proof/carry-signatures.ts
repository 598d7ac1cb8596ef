import { buffer } from "node:stream/consumers";
import type { RepositoryName } from "../model/image-reference.ts";
import { EMPTY_CONFIG, EMPTY_DESCRIPTOR } from "../records/remote/record-artifact.ts";
import { attached, type AttachProofDeps } from "./attach-deps.ts";
import { BUNDLE_TYPE, bundleLayer, MOST_BUNDLE } from "./bundles.ts";
import { attachedTo, usable } from "./read-bundles.ts";

/** The most signatures of one manifest that are carried. */
const MOST = 100;

/**
 * Has an image in another repository keep its signatures: those of its manifests that are there and not here.
 * @param digests of the image and the manifests of its platforms
 * @returns how many are new
 * @throws FactoryError REGISTRY_*, REMOTE_BUSY
 */
export async function carrySignatures(
  digests: readonly string[],
  { from, to }: { from: RepositoryName; to: RepositoryName },
  { repository, again, attach, signal }: AttachProofDeps,
): Promise<number> {
  const [source, target] = [repository(from), repository(to)];
  const options = { signal };
  let carried = 0;
  for (const digest of digests) {
    const there = await attachedTo({ client: source, again, signal }, digest);
    const bundles = there.filter(
      ({ artifactType }) => artifactType === BUNDLE_TYPE || artifactType.includes("empty"),
    );
    if (bundles.length === 0) continue;
    const here = await attachedTo({ client: target, again, signal }, digest);
    const known = new Set(here.map((one) => one.digest));
    const manifests: Uint8Array[] = [];
    for (const one of bundles.slice(-MOST)) {
      if (known.has(one.digest)) continue;
      const manifest = await usable(again(() => source.manifest(one.digest, options)));
      const layer = manifest && bundleLayer(manifest.bytes);
      if (!layer || layer.size > MOST_BUNDLE) continue;
      const bundle = await usable(again(() => buffer(source.blob(layer, { most: MOST_BUNDLE, signal }))));
      if (!bundle) continue;
      await again(() => target.putBlob(layer, bundle, options));
      manifests.push(manifest.bytes);
    }
    if (manifests.length === 0) continue;
    await again(() => target.putBlob(EMPTY_DESCRIPTOR, EMPTY_CONFIG, options));
    carried += await attach(target, digest, attached(manifests));
  }
  return carried;
}
