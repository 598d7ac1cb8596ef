import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import { isDigest } from "../model/image-reference.ts";
import type { CleanupDeps } from "./cache-repository.ts";

const AT_ONCE = 16;

/** What a manifest names: the manifests of an index. */
function namedBy(bytes: Uint8Array): string[] {
  const { manifests } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests?: unknown };
  if (manifests === undefined) return [];
  return (manifests as { digest: string }[]).map(({ digest }) => {
    if (!isDigest(digest)) throw new TypeError("it names something that is no manifest");
    return digest;
  });
}

/**
 * The digests that the tags of a repository lead to, and those of the images in their indexes.
 * @param name of the repository, for people
 * @returns none for a repository that is not there
 * @throws FactoryError PRUNE_UNRESOLVED where one of them cannot be read; INTERRUPTED
 */
export async function taggedDigests(
  name: string,
  { client, again, signal, onProgress }: CleanupDeps,
): Promise<Set<string>> {
  const unresolved = (what: string, error: unknown): FactoryError => {
    if (error instanceof FactoryError && error.code === "INTERRUPTED") return error;
    const why = error instanceof Error ? error.message : String(error);
    return new FactoryError("PRUNE_UNRESOLVED", `it is not known what ${what} names: ${why}`, {
      fix: "nothing was deleted; run it again when its registry answers",
    });
  };
  let tags: string[];
  try {
    tags = [...new Set(await again(() => client.tags({ signal })))];
  } catch (error) {
    if (error instanceof FactoryError && error.code === "REGISTRY_NOT_FOUND") return new Set();
    throw unresolved(name, error);
  }
  const limit = pLimit(AT_ONCE);
  const digests = new Set<string>();
  let done = 0;
  const read = async (tag: string): Promise<void> => {
    try {
      const { digest, bytes } = await limit(() => again(() => client.manifest(tag, { signal })));
      digests.add(digest);
      for (const child of namedBy(bytes)) digests.add(child);
    } catch (error) {
      throw unresolved(`${name}:${tag}`, error);
    }
  };
  await Promise.all(
    tags.map(async (tag) => {
      await read(tag);
      onProgress?.((done += 1), tags.length);
    }),
  );
  return digests;
}
