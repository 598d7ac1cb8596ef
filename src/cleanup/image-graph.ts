/** A manifest of a repository. */
export interface ImageNode {
  digest: string;
  /** What it lists: manifests, or blobs. */
  children: readonly string[];
  /** What is attached to it: manifests that name it as their subject, and those behind tags that are made from its digest. */
  attached: readonly string[];
  /** What it is attached to itself. */
  subject?: string | null;
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

/**
 * The digest that a tag is made from: `sha256-…` stands in for the API of referrers (OCI distribution specification), and
 * `sha256-….sig`, `.att`, `.sbom` are what cosign attached before there was one.
 * @returns null for all other tags
 */
export function subjectOfTag(tag: string): string | null {
  const hex = /^sha256-([a-f0-9]{64})(?:\.[a-z]+)?$/.exec(tag)?.[1];
  return hex === undefined ? null : `sha256:${hex}`;
}

/** Whether a tag is made from the digest of something that is there: it goes with that. Else it is a tag like others. */
export function isAttachment({ nodes }: ImageGraph, { tag }: TaggedImage): boolean {
  return nodes.has(subjectOfTag(tag) ?? "");
}

/** Walks all that some digests lead to. @returns them, what leads to others before those */
function walk(
  { nodes }: ImageGraph,
  from: Iterable<string>,
  next: (node: ImageNode) => readonly string[],
  isSkipped: (digest: string) => boolean = () => false,
): string[] {
  const seen = new Set<string>();
  const done: string[] = [];
  // Not by recursion: how deep images go is up to those who push them.
  const left: { digest: string; open: boolean }[] = [...from].map((digest) => ({ digest, open: true }));
  for (let one = left.pop(); one; one = left.pop()) {
    const { digest, open } = one;
    if (!open) {
      done.push(digest);
      continue;
    }
    if (seen.has(digest) || isSkipped(digest)) continue;
    seen.add(digest);
    left.push({ digest, open: false });
    const node = nodes.get(digest);
    if (node) left.push(...next(node).map((each) => ({ digest: each, open: true })));
  }
  return done.reverse();
}

/** All that is needed by some digests: what they list, what is attached to them or they are attached to, and so on. */
export function needed(graph: ImageGraph, from: Iterable<string>): Set<string> {
  return new Set(
    walk(graph, from, ({ children, attached, subject }) => [
      ...children,
      ...attached,
      ...(subject ? [subject] : []),
    ]),
  );
}

/** What is deleted. */
export interface ImageChoice {
  /** Tags that go, with their images. */
  tags: TaggedImage[];
  /** Tags that would go, but whose image something else needs. */
  held: TaggedImage[];
  /** Digests, in the order in which nothing is left broken: what lists others comes before those. */
  manifests: string[];
}

/**
 * What may go with some tags. Nothing that another tag leads to, or that one of the digests needs which are kept by other means:
 * a registry deletes a manifest with all its tags.
 * @param isChosen of a tag that may go
 * @param kept digests that stay, whatever tags say
 * @param gone digests that were deleted before: what they alone led to goes too
 */
export function chooseImages(
  graph: ImageGraph,
  isChosen: (tag: TaggedImage) => boolean,
  kept: Iterable<string>,
  gone: Iterable<string> = [],
): ImageChoice {
  const images = graph.tags.filter((one) => !isAttachment(graph, one));
  const chosen = images.filter(isChosen);
  const going = new Set(chosen);
  const roots = [...images.filter((one) => !going.has(one)).map(({ digest }) => digest), ...kept];
  const stays = needed(graph, roots);
  const tags = chosen.filter(({ digest }) => !stays.has(digest));
  const manifests = walk(
    graph,
    [...tags.map(({ digest }) => digest), ...gone],
    ({ children, attached }) => [...children, ...attached],
    (digest) => stays.has(digest),
  );
  return { tags, held: chosen.filter(({ digest }) => stays.has(digest)), manifests };
}
