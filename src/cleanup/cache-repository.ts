import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";
import type { Chosen } from "./cache-choice.ts";
import { type ReadRef, readCacheRef } from "./cache-ref.ts";

/** What a cache's repository is asked with. */
export interface CleanupDeps {
  client: RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
  onProgress?: (done: number, of: number) => void;
}

/** What a repository holds. */
export interface CacheContent {
  refs: ReadRef[];
  /** Tags of which it is not known what they are, and why. */
  unresolved: { tag: string; why: string }[];
}

const AT_ONCE = 16;

/** All refs of a repository; none where there is no such repository yet. @throws FactoryError REGISTRY_*, INTERRUPTED */
export async function readCache(
  { client, again, signal, onProgress }: CleanupDeps,
  fragments: readonly string[],
): Promise<CacheContent> {
  let tags: string[];
  try {
    tags = await again(() => client.tags({ signal }));
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "REGISTRY_NOT_FOUND") throw error;
    tags = [];
  }
  const known = [...fragments].sort((a, b) => b.length - a.length);
  const content: CacheContent = { refs: [], unresolved: [] };
  const limit = pLimit(AT_ONCE);
  let done = 0;
  await Promise.all(
    [...new Set(tags)].sort().map((tag) =>
      limit(async () => {
        try {
          const served = await again(() => client.manifest(tag, { signal }));
          const read = readCacheRef(tag, served, known);
          if (read) content.refs.push(read);
          else content.unresolved.push({ tag, why: "it is no manifest" });
        } catch (error) {
          if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
          content.unresolved.push({ tag, why: error.message });
        }
        onProgress?.((done += 1), tags.length);
      }),
    ),
  );
  content.refs.sort((a, b) => (a.ref.tag < b.ref.tag ? -1 : 1));
  return content;
}

/**
 * Deletes refs. One that names something else by now stays, and is named.
 * @param drop deletes a manifest with all its tags, and says whether it is gone
 * @returns the tags that were deleted, and those that were moved meanwhile
 * @throws FactoryError REGISTRY_*, INTERRUPTED: those before stay deleted
 */
export async function deleteRefs(
  chosen: readonly Chosen[],
  { client, again, signal, drop }: CleanupDeps & { drop: (digest: string) => Promise<boolean> },
  onDeleted: (tag: string) => void,
): Promise<{ pruned: string[]; moved: string[] }> {
  const pruned: string[] = [];
  const moved: string[] = [];
  const gone = new Set<string>();
  for (const { read } of chosen) {
    const { tag, digest } = read.ref;
    if (!gone.has(digest)) {
      if ((await again(() => client.headManifest(tag, { signal }))) !== digest || !(await drop(digest))) {
        moved.push(tag);
        continue;
      }
      gone.add(digest);
    }
    pruned.push(tag);
    onDeleted(tag);
  }
  return { pruned, moved };
}
