import pLimit from "p-limit";
import { isDigest, type RepositoryName } from "../../model/image-reference.ts";
import { quoted } from "../../model/visible.ts";
import type { BlobName } from "./blobs.ts";
import { wrongAnswer } from "./registry-error.ts";
import type { OpenRepository } from "./repository-client.ts";

/** How deep an index may name indexes, and how many manifests an image may have in all. */
const DEEPEST = 3;
const MOST_MANIFESTS = 1000;
/** Blobs at once. */
const AT_ONCE = 4;

/** What a manifest names: manifests, and blobs. Each once. */
interface Named {
  manifests: string[];
  blobs: BlobName[];
}

function descriptors(values: unknown): BlobName[] {
  const list = Array.isArray(values) ? (values as unknown[]) : [values];
  return list.flatMap((value) => {
    if (value === undefined) return [];
    const { digest, size, urls } = (value ?? {}) as Record<string, unknown>;
    if (typeof digest !== "string" || !isDigest(digest) || typeof size !== "number")
      throw wrongAnswer("a manifest names something without a digest and a size");
    // What is to be had elsewhere is in no registry.
    return Array.isArray(urls) && urls.length > 0 ? [] : [{ digest, size }];
  });
}

function namedBy(bytes: Uint8Array, what: string): Named {
  let manifest: Record<string, unknown>;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
  } catch {
    throw wrongAnswer(`${quoted(what)} is not JSON`);
  }
  const once = (list: readonly BlobName[]) => [...new Map(list.map((one) => [one.digest, one])).values()];
  return {
    manifests: once(descriptors(manifest.manifests ?? [])).map(({ digest }) => digest),
    blobs: once([...descriptors(manifest.config), ...descriptors(manifest.layers ?? [])]),
  };
}

export interface CopyOptions {
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  signal?: AbortSignal;
}

/**
 * Has a repository hold a manifest of another one, with all that it names, byte for byte. What is there already is not sent,
 * and within one registry no layer passes through this machine. The manifest itself is stored last.
 * @throws RegistryError REGISTRY_*
 */
export async function copyImage(
  digest: string,
  { from, to }: { from: RepositoryName; to: RepositoryName },
  open: OpenRepository,
  { again, signal }: CopyOptions,
): Promise<void> {
  const [source, target] = [open(from), open(to)];
  const mountFrom = from.host === to.host ? from.repository : undefined;
  const limit = pLimit(AT_ONCE);
  const sent = new Map<string, Promise<unknown>>();
  let manifests = 0;

  const send = (blob: BlobName): Promise<unknown> => {
    const known = sent.get(blob.digest);
    if (known) return known;
    const pieces = () => source.blob(blob, { most: blob.size, signal });
    const sending = limit(() => again(() => target.putBlob(blob, pieces, { signal, mountFrom })));
    sent.set(blob.digest, sending);
    return sending;
  };

  const copy = async (one: string, depth: number): Promise<void> => {
    if ((manifests += 1) > MOST_MANIFESTS || depth > DEEPEST)
      throw wrongAnswer(`${digest} of ${from.host}/${from.repository} names too many manifests`);
    if ((await again(() => target.headManifest(one, { signal }))) !== null) return;
    const { bytes, mediaType } = await again(() => source.manifest(one, { signal }));
    const named = namedBy(bytes, one);
    for (const below of named.manifests) await copy(below, depth + 1);
    await Promise.all(named.blobs.map(send));
    await again(() => target.putManifest(one, bytes, mediaType, { signal }));
  };
  await copy(digest, 0);
}
