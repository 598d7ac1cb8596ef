import { LOCK_TAG } from "../publish/publisher-lock.ts";
import type { CleanupDeps } from "./cache-repository.ts";
import { chooseImages, isAttachment, type TaggedImage } from "./image-graph.ts";
import { type ImageRepository, unresolved } from "./image-repository.ts";

export interface DeleteDeps extends CleanupDeps {
  /** Deletes a manifest with all its tags. @returns whether it is gone: false for one that somebody is seen to have tagged */
  drop: (digest: string) => Promise<boolean>;
  onDeleted: (tag: string) => void;
}

/** How many images go between two looks at all tags. */
const ROUND = 16;

/** How often in a row the tags may have changed before anything could be deleted. */
const MOST_CHANGES = 5;

/**
 * Deletes images with what they alone need. No registry deletes a manifest only if its tags are what one thinks, so it is looked
 * again all the time: at all tags before every 16 images, and right before each manifest at its own tags and at the names of all. What
 * somebody has tagged meanwhile stays, with all that it needs.
 * @param chosen tags of `content` that may go
 * @param kept digests that stay, whatever tags say
 * @returns the tags that are gone, and those that stay because somebody moved or tagged something meanwhile
 * @throws FactoryError PRUNE_UNRESOLVED, REGISTRY_*, INTERRUPTED: what went before stays deleted
 */
export async function deleteImages(
  content: ImageRepository,
  chosen: readonly TaggedImage[],
  kept: Iterable<string>,
  { client, again, signal, drop, onDeleted }: DeleteDeps,
): Promise<{ pruned: string[]; moved: string[] }> {
  const left = new Map(chosen.map(({ tag, digest }) => [tag, digest]));
  // Only ever grows: a registry that forgets a tag for a moment makes nothing free.
  const stay = new Set([
    ...kept,
    ...content.tags
      .filter((one) => !left.has(one.tag) && !isAttachment(content, one))
      .map(({ digest }) => digest),
  ]);
  const [pruned, moved]: [string[], string[]] = [[], []];
  const gone = new Set<string>();
  const keep = (tag: string) => {
    stay.add(left.get(tag) ?? "");
    left.delete(tag);
    moved.push(tag);
  };

  /** Whether nobody has given any tag to something since the last look, as far as names tell, and these are as they were. */
  const isUnchanged = async (names: readonly string[], pruned: ReadonlySet<string>): Promise<boolean> => {
    const known = new Set([LOCK_TAG, ...content.tags.map(({ tag }) => tag)]);
    const all = await again(() => client.tags({ signal }));
    if (all.some((tag) => !known.has(tag))) return false;
    // What is pruned may still be listed for a moment, and may have been made again.
    const looked = [...names, ...all.filter((tag) => pruned.has(tag))];
    const digests = await Promise.all(looked.map((tag) => again(() => client.headManifest(tag, { signal }))));
    return digests.every((digest, at) => digest === (left.get(looked[at] ?? "") ?? null));
  };

  for (let changes = 0; changes <= MOST_CHANGES;) {
    for (const one of await content.look()) {
      const { tag, digest } = one;
      // One that is gone and comes back, or names something else, is somebody else's now.
      if (left.has(tag)) keep(tag);
      if (!isAttachment(content, one)) stay.add(digest);
    }
    const isThere = new Set(content.tags.map(({ tag }) => tag));
    for (const tag of left.keys()) if (!isThere.has(tag)) keep(tag);
    const { held } = chooseImages(content, ({ tag }) => left.has(tag), stay);
    for (const { tag } of held) keep(tag);
    const round = new Set([...new Set(left.values())].slice(0, ROUND));
    const isNow = ({ tag, digest }: TaggedImage) => left.has(tag) && round.has(digest);
    const { manifests } = chooseImages(content, isNow, stay, gone);
    const todo = manifests.filter((digest) => !gone.has(digest));
    if (todo.length === 0) return { pruned, moved };

    const inRound = new Set<string>();
    let isSame = true;
    for (const digest of todo) {
      const names = [...left].flatMap(([tag, of]) => (of === digest ? [tag] : []));
      isSame = (await isUnchanged(names, inRound)) && (await drop(digest));
      if (!isSame) break;
      gone.add(digest);
      changes = 0;
      for (const tag of names) {
        left.delete(tag);
        pruned.push(tag);
        inRound.add(tag);
        onDeleted(tag);
      }
    }
    if (!isSame) changes += 1;
  }
  throw unresolved("left to delete", "somebody moves tags all the time");
}
