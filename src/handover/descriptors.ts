import { isDigest } from "../model/image-reference.ts";

/** Names a blob, and says what it is. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  /** bytes */
  size: number;
}

export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

const DOCUMENT_TYPES: ReadonlySet<string> = new Set([
  INDEX_TYPE,
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
]);

/** The largest manifest or index, in bytes. */
export const MOST_DOCUMENT = 4 << 20;
/** The most of them, and of other blobs, in one file. */
const MOST_DOCUMENTS = 1000;
const MOST_LEAVES = 10_000;

/** An image or an artifact that is not what it should be. Who reads it knows where it comes from, and says so. */
export class Unsound extends Error {}

/** The descriptor that a document has in some place. @throws Unsound */
export function descriptorIn(value: unknown): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Record<string, unknown>;
  if (typeof digest !== "string" || !isDigest(digest))
    throw new Unsound("it names a blob without its digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new Unsound(`it does not say how large ${digest} is`);
  return { mediaType: typeof mediaType === "string" ? mediaType : "", digest, size };
}

/** What a document says. @throws Unsound */
export function objectIn(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Unsound(`${what} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Unsound(`${what} is no object`);
  return value as Record<string, unknown>;
}

/** A manifest or an index. */
interface Document extends Descriptor {
  bytes: Buffer;
  content: Record<string, unknown>;
}

/** Everything that some documents lead to. */
export interface Closure {
  /** Manifests and indexes by digest, in the order in which they are met: those that are asked for first. */
  documents: Map<string, Document>;
  /** All other blobs by digest, in the order in which they are named. */
  leaves: Map<string, Descriptor>;
}

const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/**
 * Follows documents to everything that they name, level by level. The same documents give the same order.
 * @param read the bytes of a document, each once: they have its digest
 * @throws Unsound for what is no such document, is named with two sizes, or is too large or too much
 */
export async function closureOf(
  roots: readonly Descriptor[],
  read: (document: Descriptor) => Promise<Buffer>,
): Promise<Closure> {
  const documents = new Map<string, Document>();
  const leaves = new Map<string, Descriptor>();
  const sizes = new Map<string, number>();
  const queue = [...roots];
  const meet = (one: Descriptor): boolean => {
    const known = sizes.get(one.digest);
    if (known !== undefined && known !== one.size) throw new Unsound(`${one.digest} is named with two sizes`);
    sizes.set(one.digest, one.size);
    return known === undefined;
  };
  for (let next = queue.shift(); next; next = queue.shift()) {
    if (!meet(next)) continue;
    if (!DOCUMENT_TYPES.has(next.mediaType)) {
      leaves.set(next.digest, next);
      if (leaves.size > MOST_LEAVES) throw new Unsound(`it names more than ${MOST_LEAVES} blobs`);
      continue;
    }
    if (next.size > MOST_DOCUMENT) throw new Unsound(`its manifest ${next.digest} is too large`);
    if (documents.size >= MOST_DOCUMENTS) throw new Unsound(`it has more than ${MOST_DOCUMENTS} manifests`);
    const bytes = await read(next);
    const content = objectIn(bytes, `its manifest ${next.digest}`);
    documents.set(next.digest, { ...next, bytes, content });
    const { manifests, config, layers } = content;
    const named = Array.isArray(manifests) ? listIn(manifests) : [config, ...listIn(layers)];
    queue.push(...named.map(descriptorIn));
  }
  return { documents, leaves };
}
