import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import { isDigest } from "../model/image-reference.ts";
import { LOCK_TAG } from "../publish/publisher-lock.ts";
import { markedTag } from "../publish/tag-mark.ts";
import type { ServedManifest } from "../tools/oci/manifests.ts";
import type { CleanupDeps } from "./cache-repository.ts";
import { type ImageGraph, type ImageNode, subjectOfTag, type TaggedImage } from "./image-graph.ts";

/** A repository of images, as it was when it was looked at last. */
export interface ImageRepository extends ImageGraph {
  tags: readonly TaggedImage[];
  /** When tags were written, in milliseconds since 1970, by digest and tag as in `markKey`: of those that are marked. */
  marks: ReadonlyMap<string, number>;
  /**
   * Looks at all tags again, and reads what is new.
   * @returns those that name something else than before, and new ones
   * @throws FactoryError as `readImages`
   */
  look: () => Promise<TaggedImage[]>;
}

const AT_ONCE = 16;

/** What a mark is known by. */
export const markKey = (digest: string, tag: string): string => `${digest} ${tag}`;

export function unresolved(what: string, why: string): FactoryError {
  return new FactoryError("PRUNE_UNRESOLVED", `it is not known what ${what} is: ${why}`, {
    fix: "nothing more is deleted; run it again, or look at it with `crane manifest`",
  });
}

const isIndexType = (type: string) => /\.(image\.index\.v1|manifest\.list\.v2)\+json$/.test(type);
const isImageType = (type: string) => /\.(image\.manifest\.v1|distribution\.manifest\.v2)\+json$/.test(type);

/** What a manifest lists. */
interface Listed {
  children: { digest: string; mediaType: string }[];
  subject: string | null;
}

interface Descriptor {
  digest?: unknown;
  mediaType?: unknown;
}

/** @throws FactoryError PRUNE_UNRESOLVED for a manifest of a form that is not known */
function parse(what: string, { bytes, mediaType }: ServedManifest): Listed {
  let document: { manifests?: unknown; subject?: Descriptor | null } | null;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof document;
  } catch {
    throw unresolved(what, "it is not JSON");
  }
  const isIndex = isIndexType(mediaType);
  if (!isIndex && !isImageType(mediaType)) throw unresolved(what, `its type is ${mediaType}`);
  const { manifests, subject } = document ?? {};
  const about = subject?.digest;
  const listed: Listed = {
    children: [],
    subject: typeof about === "string" && isDigest(about) ? about : null,
  };
  if (!isIndex) return listed;
  if (!Array.isArray(manifests)) throw unresolved(what, "it does not list manifests");
  for (const one of manifests as (Descriptor | null)[]) {
    const digest = one?.digest;
    if (typeof digest !== "string" || !isDigest(digest))
      throw unresolved(what, "it names something that is no manifest");
    listed.children.push({ digest, mediaType: typeof one?.mediaType === "string" ? one.mediaType : "" });
  }
  return listed;
}

/**
 * Reads a repository whole: each tag, what it leads to, and what is attached to that.
 * @param recorded digests that are read as well, where they are there
 * @throws FactoryError PRUNE_UNRESOLVED where something cannot be read; REGISTRY_*, INTERRUPTED
 */
export async function readImages(
  { client, again, signal, onProgress }: CleanupDeps,
  recorded: Iterable<string> = [],
): Promise<ImageRepository> {
  const limit = pLimit(AT_ONCE);
  const nodes = new Map<string, ImageNode>();
  const marks = new Map<string, number>();
  const seen = new Set<string>();
  let done = 0;

  const fetched = async (digest: string): Promise<ServedManifest> => {
    try {
      return await limit(() => again(() => client.manifest(digest, { signal })));
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code === "INTERRUPTED") throw error;
      throw unresolved(digest, error.message);
    }
  };
  /** @returns what has to be read then */
  const read = async (digest: string): Promise<string[]> => {
    const [{ children, subject }, referrers] = await Promise.all([
      fetched(digest).then((served) => parse(digest, served)),
      limit(() => again(() => client.referrers(digest, { signal }))),
    ]);
    if (!referrers.whole) throw unresolved(`what refers to ${digest}`, "there is too much of it");
    const attached = referrers.found.map((one) => one.digest);
    nodes.set(digest, { digest, subject, children: children.map((one) => one.digest), attached });
    for (const { annotations } of referrers.found) {
      const mark = markedTag(annotations);
      const key = mark && markKey(digest, mark.tag);
      if (mark && key !== null) marks.set(key, Math.max(mark.at, marks.get(key) ?? 0));
    }
    // What has another type is a blob: caches of BuildKit list those in an index. A registry keeps them itself.
    const manifests = children.filter(
      ({ mediaType }) => mediaType === "" || isIndexType(mediaType) || isImageType(mediaType),
    );
    return [...manifests.map((one) => one.digest), ...attached];
  };
  /** Reads some manifests and all that they lead to; each once, also where they lead to each other. */
  const readAll = async (from: Iterable<string>): Promise<void> => {
    for (let next = [...from]; next.length > 0;) {
      const some = [...new Set(next)].filter((digest) => !seen.has(digest));
      for (const digest of some) seen.add(digest);
      next = (await Promise.all(some.map(read))).flat();
    }
  };

  /** All tags, and what they name now. A tag that vanishes while this looks is not there. */
  const tagsNow = async (onTag?: (of: number) => void): Promise<TaggedImage[]> => {
    const names = [...new Set(await again(() => client.tags({ signal })))].sort();
    // It names another manifest all the time, while somebody publishes.
    if (names.includes(LOCK_TAG)) names.splice(names.indexOf(LOCK_TAG), 1);
    const tags = await Promise.all(
      names.map(async (tag) => {
        const digest = await limit(() => again(() => client.headManifest(tag, { signal })));
        onTag?.(names.length);
        return digest === null ? [] : [{ tag, digest }];
      }),
    );
    return tags.flat();
  };

  /** Reads what tags name, and ties those that are made from a digest to that. */
  const follow = async (some: readonly TaggedImage[]): Promise<void> => {
    await readAll(some.map(({ digest }) => digest));
    for (const { tag, digest } of some) {
      const node = nodes.get(subjectOfTag(tag) ?? "");
      if (node && !node.attached.includes(digest))
        nodes.set(node.digest, { ...node, attached: [...node.attached, digest] });
    }
  };

  const isThere = async (digest: string) =>
    (await limit(() => again(() => client.headManifest(digest, { signal })))) === null ? [] : [digest];
  await readAll((await Promise.all([...new Set(recorded)].map(isThere))).flat());
  const tags = await tagsNow((of) => onProgress?.((done += 1), of));
  await follow(tags);
  const repository: ImageRepository = {
    tags,
    nodes,
    marks,
    look: async () => {
      const before = new Map(repository.tags.map(({ tag, digest }) => [tag, digest]));
      repository.tags = await tagsNow();
      const changed = repository.tags.filter(({ tag, digest }) => before.get(tag) !== digest);
      await follow(changed);
      return changed;
    },
  };
  return repository;
}
