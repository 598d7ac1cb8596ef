import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import { isDigest } from "../model/image-reference.ts";
import { markedTag } from "../publish/tag-mark.ts";
import type { ServedManifest } from "../tools/oci/manifests.ts";
import type { CleanupDeps } from "./cache-repository.ts";
import { type ImageChoice, type ImageGraph, type ImageNode, subjectOfTag } from "./image-graph.ts";

/** A repository of images, as it is now. */
export interface ImageRepository extends ImageGraph {
  /** When tags were written, in milliseconds since 1970, by digest and tag as in `markKey`: of those that are marked. */
  marks: ReadonlyMap<string, number>;
}

const AT_ONCE = 16;

/** What a mark is known by. */
export const markKey = (digest: string, tag: string): string => `${digest} ${tag}`;

function unresolved(what: string, why: string): FactoryError {
  return new FactoryError("PRUNE_UNRESOLVED", `it is not known what ${what} is: ${why}`, {
    fix: "nothing was deleted; run it again, or look at it with `crane manifest`",
  });
}

/** The manifests that a manifest names. @throws FactoryError PRUNE_UNRESOLVED for one of another form */
function parse(what: string, { bytes, mediaType }: ServedManifest): string[] {
  let document: Record<string, unknown> | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof document;
  } catch {
    throw unresolved(what, "it is not JSON");
  }
  const isIndex = /\.(image\.index\.v1|manifest\.list\.v2)\+json$/.test(mediaType);
  if (!isIndex && !/\.(image\.manifest\.v1|distribution\.manifest\.v2)\+json$/.test(mediaType))
    throw unresolved(what, `its type is ${mediaType}`);
  if (!isIndex) return [];
  const { manifests } = document ?? {};
  if (!Array.isArray(manifests)) throw unresolved(what, "it does not list manifests");
  return (manifests as ({ digest?: unknown } | null)[]).map((one) => {
    const digest = one?.digest;
    if (typeof digest === "string" && isDigest(digest)) return digest;
    throw unresolved(what, "it names something that is no manifest");
  });
}

/**
 * Reads a repository whole: each tag, what it leads to, and what refers to that.
 * @throws FactoryError PRUNE_UNRESOLVED where something cannot be read; REGISTRY_*, INTERRUPTED
 */
export async function readImages({
  client,
  again,
  signal,
  onProgress,
}: CleanupDeps): Promise<ImageRepository> {
  const limit = pLimit(AT_ONCE);
  const names = [...new Set(await again(() => client.tags({ signal })))].sort();
  const nodes = new Map<string, ImageNode>();
  const marks = new Map<string, number>();
  let done = 0;

  const manifest = async (ref: string): Promise<ServedManifest> => {
    try {
      return await limit(() => again(() => client.manifest(ref, { signal })));
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
      throw unresolved(ref, error.message);
    }
  };
  const visiting = new Map<string, Promise<void>>();
  const visit = (digest: string, served?: ServedManifest): Promise<void> => {
    let known = visiting.get(digest);
    if (!known) visiting.set(digest, (known = read(digest, served)));
    return known;
  };
  const read = async (digest: string, served?: ServedManifest): Promise<void> => {
    const children = parse(digest, served ?? (await manifest(digest)));
    const referrers = await limit(() => again(() => client.referrers(digest, { signal })));
    if (!referrers.whole) throw unresolved(`what refers to ${digest}`, "there is too much of it");
    nodes.set(digest, { digest, children, referrers: referrers.found.map((one) => one.digest) });
    for (const { annotations } of referrers.found) {
      const mark = markedTag(annotations);
      const key = mark && markKey(digest, mark.tag);
      if (mark && key !== null) marks.set(key, Math.max(mark.at, marks.get(key) ?? 0));
    }
    await Promise.all(children.map((child) => visit(child)));
    for (const one of referrers.found)
      if (!nodes.has(one.digest)) nodes.set(one.digest, { digest: one.digest, children: [], referrers: [] });
  };

  const tags = await Promise.all(
    names.map(async (tag) => {
      const served = await manifest(tag);
      if (subjectOfTag(tag) === null) await visit(served.digest, served);
      onProgress?.((done += 1), names.length);
      return { tag, digest: served.digest };
    }),
  );
  return { tags, nodes, marks };
}

/**
 * Deletes what was chosen. A tag that names something else by now stays with all of its image.
 * @returns the tags that are gone, and those that were moved meanwhile
 * @throws FactoryError REGISTRY_*, INTERRUPTED: those before stay deleted
 */
export async function deleteImages(
  { tags, manifests, lists }: ImageChoice,
  { client, again, signal }: CleanupDeps,
  onDeleted: (tag: string) => void,
): Promise<{ pruned: string[]; moved: string[] }> {
  const [pruned, moved]: [string[], string[]] = [[], []];
  const drop = (digest: string) => again(() => client.deleteManifest(digest, { signal }));
  const byDigest = new Map<string, string[]>();
  for (const { tag, digest } of tags) byDigest.set(digest, [...(byDigest.get(digest) ?? []), tag]);
  const stays = new Set<string>();
  for (const [digest, names] of byDigest) {
    const now = await Promise.all(names.map((tag) => again(() => client.headManifest(tag, { signal }))));
    if (now.some((one) => one !== null && one !== digest)) {
      moved.push(...names);
      stays.add(digest);
      continue;
    }
    await drop(digest);
    pruned.push(...names);
    for (const tag of names) onDeleted(tag);
  }
  // What one that stays needs is not known here any more: then all that is below the tags stays.
  if (stays.size > 0) return { pruned, moved };
  for (const tag of lists) {
    const digest = await again(() => client.headManifest(tag, { signal }));
    if (digest !== null) await drop(digest);
  }
  for (const digest of manifests) if (!byDigest.has(digest)) await drop(digest);
  return { pruned, moved };
}

/**
 * Makes sure that all tags still name what was read: what was chosen would be wrong else.
 * @param lock a tag that changes all the time
 * @throws FactoryError PRUNE_UNRESOLVED, REGISTRY_*
 */
export async function tagsNow(
  { client, again, signal }: CleanupDeps,
  { tags }: ImageGraph,
  lock: string,
): Promise<void> {
  const limit = pLimit(AT_ONCE);
  const before = new Map(tags.map(({ tag, digest }) => [tag, digest]));
  const names = new Set([...(await again(() => client.tags({ signal }))), ...before.keys()]);
  names.delete(lock);
  await Promise.all(
    [...names].map((tag) =>
      limit(async () => {
        const now = await again(() => client.headManifest(tag, { signal }));
        if (now !== (before.get(tag) ?? null))
          throw unresolved(tag, "somebody moved it while the repository was read");
      }),
    ),
  );
}
