import { isDigest } from "../model/image-reference.ts";

/** One tag of a cache's repository. What is not known is null. */
export interface CacheRef {
  tag: string;
  digest: string;
  /** `other` for what BuildKit did not write as a cache. */
  kind: "cache" | "other";
  /** The fragment that its prefix ends with. */
  fragment: string | null;
  version: string | null;
  /** 12 hex digits of the prefix's hash. */
  prefix: string | null;
  /** As in a tag: `linux-amd64`. */
  platform: string | null;
  /** Bytes of its blobs, each once. */
  size: number;
  /** When the newest part of it was made: ISO 8601, UTC. */
  made: string | null;
}

/** What a cache ref consists of. */
export interface ReadRef {
  ref: CacheRef;
  /** Bytes by digest. */
  blobs: ReadonlyMap<string, number>;
  /** Manifests that it names, if it is an index. */
  names: readonly string[];
}

const CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0";
const CREATED = "buildkit/createdat";

type Parts = Pick<CacheRef, "fragment" | "version" | "prefix" | "platform">;

/**
 * What a tag of a cache says: `core-0.1.0-dd5bf07a02d6-linux-amd64`.
 * @param fragments names that are known, the longest first: a fragment's name may have a `-` and a digit in it
 */
export function partsOfTag(tag: string, fragments: readonly string[]): Parts {
  const none = { fragment: null, version: null, prefix: null, platform: null };
  const [, head, prefix, platform] = /^(.+)-([0-9a-f]{12})-([a-z0-9]+(?:-[a-z0-9]+)+)$/.exec(tag) ?? [];
  if (head === undefined || prefix === undefined || platform === undefined) return none;
  const known = fragments.find((name) => head.startsWith(`${name}-`));
  const [, fragment = null, version = null] =
    known === undefined ? (/^(.+?)-(\d.*)$/.exec(head) ?? []) : ["", known, head.slice(known.length + 1)];
  return { fragment, version, prefix, platform };
}

interface Descriptor {
  mediaType?: unknown;
  digest?: unknown;
  size?: unknown;
  annotations?: Record<string, unknown> | null;
}

/** The newest date that the parts of a cache have, of those that can be read. */
function newest(layers: readonly Descriptor[]): string | null {
  const dates = layers.flatMap(({ annotations }) => {
    const said = annotations?.[CREATED];
    const time = typeof said === "string" ? Date.parse(said) : NaN;
    return Number.isNaN(time) ? [] : [time];
  });
  return dates.length === 0 ? null : new Date(Math.max(...dates)).toISOString();
}

/** What a manifest behind a tag is. @returns null where it is no manifest */
export function readCacheRef(
  tag: string,
  { bytes, digest }: { bytes: Uint8Array; digest: string },
  fragments: readonly string[],
): ReadRef | null {
  let manifest: { config?: Descriptor; layers?: unknown; manifests?: unknown } | null;
  try {
    manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as typeof manifest;
  } catch {
    return null;
  }
  if (typeof manifest !== "object" || manifest === null) return null;
  const list = (value: unknown): Descriptor[] =>
    Array.isArray(value) ? (value as (Descriptor | null)[]).map((one) => one ?? {}) : [];
  const layers = list(manifest.layers);
  const below = list(manifest.manifests);
  const own = { digest, size: bytes.length };
  const blobs = new Map<string, number>();
  for (const { digest: name, size } of [
    own,
    ...(manifest.config ? [manifest.config] : []),
    ...layers,
    ...below,
  ])
    if (typeof name === "string" && isDigest(name) && typeof size === "number") blobs.set(name, size);
  // Without `image-manifest=true` BuildKit writes an index of layers, with its config among them.
  const isCache =
    manifest.config?.mediaType === CACHE_CONFIG || below.some((one) => one.mediaType === CACHE_CONFIG);
  const parts = partsOfTag(tag, fragments);
  const size = [...blobs.values()].reduce((sum, bytes) => sum + bytes, 0);
  const names = below.flatMap(({ digest: name }) =>
    typeof name === "string" && isDigest(name) ? [name] : [],
  );
  return {
    ref: {
      tag,
      digest,
      kind: isCache ? "cache" : "other",
      ...parts,
      size,
      made: newest([...layers, ...below]),
    },
    blobs,
    names,
  };
}
