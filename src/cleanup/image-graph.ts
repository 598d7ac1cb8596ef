/** A manifest of a repository. */
export interface ImageNode {
  digest: string;
  /** Manifests that it names. */
  children: readonly string[];
  /** Manifests that name it as their subject. */
  referrers: readonly string[];
}

/** A tag of a repository. */
export interface TaggedImage {
  tag: string;
  digest: string;
}

/** What there is in a repository: every digest that a tag leads to has a node. */
export interface ImageGraph {
  tags: readonly TaggedImage[];
  nodes: ReadonlyMap<string, ImageNode>;
}

/** Tags that stand in for the API of referrers, `sha256-…`, with the digest that each is about. */
export function subjectOfTag(tag: string): string | null {
  return /^sha256-[a-f0-9]{64}$/.test(tag) ? tag.replace("-", ":") : null;
}

/** All that is needed by some digests: what they name, what refers to them, and so on. */
export function reachable({ nodes }: ImageGraph, from: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const left = [...from];
  for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
    if (found.has(digest)) continue;
    found.add(digest);
    const node = nodes.get(digest);
    if (node) left.push(...node.children, ...node.referrers);
  }
  return found;
}

/** What is deleted, in the order in which that leaves nothing broken: what names others comes before those. */
export interface ImageChoice {
  /** Tags that go, with their images. */
  tags: TaggedImage[];
  /** Tags that would go, but whose image something else needs. */
  held: TaggedImage[];
  /** Digests of manifests. */
  manifests: string[];
  /** Tags that stand in for the API of referrers of what goes. */
  lists: string[];
}

/**
 * What may go with some tags. Nothing that another tag leads to, or that one of the digests needs which are kept by other means:
 * a registry deletes a manifest with all its tags.
 * @param isChosen of a tag that may go
 * @param kept digests that stay, whatever tags say
 */
export function chooseImages(
  graph: ImageGraph,
  isChosen: (tag: TaggedImage) => boolean,
  kept: Iterable<string>,
): ImageChoice {
  const images = graph.tags.filter(({ tag }) => subjectOfTag(tag) === null);
  const chosen = images.filter(isChosen);
  const going = new Set(chosen);
  const roots = [...images.filter((one) => !going.has(one)).map(({ digest }) => digest), ...kept];
  const stays = reachable(graph, roots);
  const tags = chosen.filter(({ digest }) => !stays.has(digest));
  const held = chosen.filter(({ digest }) => stays.has(digest));
  const manifests: string[] = [];
  const seen = new Set<string>();
  const visit = (digest: string) => {
    if (seen.has(digest) || stays.has(digest)) return;
    seen.add(digest);
    manifests.push(digest);
    const node = graph.nodes.get(digest);
    for (const one of [...(node?.children ?? []), ...(node?.referrers ?? [])]) visit(one);
  };
  for (const { digest } of tags) visit(digest);
  const lists = graph.tags.flatMap(({ tag }) => {
    const subject = subjectOfTag(tag);
    return subject !== null && seen.has(subject) ? [tag] : [];
  });
  return { tags, held, manifests, lists };
}
