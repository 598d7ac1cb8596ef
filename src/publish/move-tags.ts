import pLimit from "p-limit";
import { type RepositoryName, referenceText } from "../model/image-reference.ts";
import { EMPTY_CONFIG, EMPTY_DESCRIPTOR, MANIFEST_TYPE } from "../records/remote/record-artifact.ts";
import type { Change, Missing, PlannedChange } from "./tag-changes.ts";
import { tagMark } from "./tag-mark.ts";
import { AT_ONCE, type RegistryDeps, servedBy } from "./registry-deps.ts";

const nameOf = ({ host, repository }: RepositoryName): string =>
  referenceText({ host, repository, tag: null, digest: null });

const told = (digest: string | null): string => digest ?? "nothing";

/** Says when a tag is written that is not meant to stay. */
async function mark(
  { tag, joined }: PlannedChange,
  { repository, again, attach, signal }: RegistryDeps,
): Promise<void> {
  const { digest, mediaType, bytes } = joined;
  await again(() => repository(tag).putBlob(EMPTY_DESCRIPTOR, EMPTY_CONFIG, { signal }));
  const own = tagMark(tag.tag, { mediaType, digest, size: bytes.length }, new Date());
  await attach(tag, digest, [{ bytes: own, mediaType: MANIFEST_TYPE }]);
}

/**
 * Moves tags in turn, after their repositories hold what they are to name. A tag that somebody else moved since it was looked
 * at stays where it is, and one that somebody else moved right after is named as well.
 * @param around `prove` has what is there by its digest get its proof, before a tag names it; `onMoved` is called for each tag as
 * soon as it is moved
 * @returns the changes that hold, and those that do not
 */
export async function moveTags(
  changes: readonly PlannedChange[],
  deps: RegistryDeps,
  {
    prove,
    onMoved,
  }: { prove: (change: PlannedChange) => Promise<unknown>; onMoved: (change: Change) => void },
): Promise<{ changes: Change[]; missing: Missing[] }> {
  const { repository, again, copy, signal } = deps;
  const limit = pLimit(AT_ONCE);
  const held = new Map<string, Promise<void>>();
  const hold = (change: PlannedChange): Promise<void> => {
    const { tag, joined } = change;
    const key = `${nameOf(tag)} ${joined.digest}`;
    const known = held.get(key);
    if (known) return known;
    const to = { host: tag.host, repository: tag.repository };
    const holding = (async () => {
      for (const { digest, from } of joined.members)
        if (nameOf(from) !== nameOf(to)) await copy(digest, { from, to });
      await again(() =>
        repository(to).putManifest(joined.digest, joined.bytes, joined.mediaType, { signal }),
      );
      await prove(change);
    })();
    held.set(key, holding);
    return holding;
  };
  await Promise.all(changes.map((change) => limit(() => hold(change))));

  const moved: PlannedChange[] = [];
  const missing: Missing[] = [];
  for (const change of changes) {
    const { ref, from, tag, joined } = change;
    const now = await servedBy(deps, tag);
    if (now !== from && now !== joined.digest) {
      const why = `somebody else moved it from ${told(from)} to ${told(now)} meanwhile, so it was left there`;
      missing.push({ what: ref, why });
      continue;
    }
    const { bytes, mediaType } = joined;
    if (change.isTransient) await mark(change, deps);
    await again(() => repository(tag).putManifest(tag.tag, bytes, mediaType, { signal }));
    moved.push(change);
    onMoved(change);
  }
  const after = await Promise.all(moved.map(({ tag }) => limit(() => servedBy(deps, tag))));
  const lost = new Map(
    moved.flatMap((change, at): [PlannedChange, string | null][] => {
      const now = after[at] ?? null;
      return now === change.to ? [] : [[change, now]];
    }),
  );
  for (const [{ ref, to }, now] of lost) {
    missing.push({
      what: ref,
      why: `somebody else moved it to ${told(now)} right after it was moved to ${to}`,
    });
  }
  return {
    changes: moved
      .filter((change) => !lost.has(change))
      .map(({ ref, from, to, record_ids }) => ({ ref, from, to, record_ids })),
    missing,
  };
}
