import pLimit from "p-limit";
import { sha256 } from "../../model/digest.ts";
import type { RepositoryName } from "../../model/image-reference.ts";
import { type AttachDeps, type AttachedManifest, attachReferrers } from "./attach-referrers.ts";
import { manifestParts } from "./manifest-parts.ts";
import { type Referrer, referrerOf } from "./referrer-index.ts";
import { RegistryError, wrongAnswer } from "./registry-error.ts";
import type { OpenRepository } from "./repository-client.ts";

/** What is copied. */
export interface CopyRequest {
  from: RepositoryName;
  to: RepositoryName;
  /** Of a manifest or an index. */
  digest: string;
}

export interface CopyOptions {
  /** The artifact types of the referrers that are copied too, with what refers to those. Default: none. */
  referrers?: readonly string[];
  /** Called with the number of manifests that are copied so far. */
  onProgress?: (manifests: number) => void;
}

/** What was sent; what was there already does not count. */
export interface Copied {
  manifests: number;
  blobs: number;
  /** The digests of referrers that were not copied, since they, or what they name, are gone or not what they are said to be. */
  left: string[];
}

/** Blobs at once. */
const AT_ONCE = 4;

/** The most manifests of one image, the deepest index in an index, and the largest blob, in bytes. */
const MOST_MANIFESTS = 2000;
const DEEPEST = 4;
const LARGEST = 64 * 2 ** 30;

/** What comes of some work; null if what it needs is gone, or is not what it is said to be. */
async function unlessBroken<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RegistryError && ["REGISTRY_NOT_FOUND", "REGISTRY_CONTENT"].includes(error.code))
      return null;
    throw error;
  }
}

/** Reads the `subject` of a manifest. */
function subjectOf(bytes: Uint8Array): unknown {
  const { subject } = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
    subject?: { digest?: unknown } | null;
  };
  return subject?.digest;
}

/**
 * Copies a manifest with all that it names (the manifests of an index, configs, layers) from one repository to another, by
 * digest and byte for byte. Within one registry nothing is sent that it can take over by itself. The manifest comes last: it
 * is there only if all of it is. No tag is moved, and what is there already is not sent again.
 * @throws RegistryError; REGISTRY_CONTENT for what is no image, or names too much; FactoryError INTERRUPTED
 */
export async function copyImage(
  { from, to, digest }: CopyRequest,
  { referrers: types = [], onProgress }: CopyOptions,
  deps: AttachDeps & { open: OpenRepository },
): Promise<Copied> {
  const { open, again, signal } = deps;
  const [source, target] = [open(from), open(to)];
  const options = { signal };
  const mountFrom = from.host === to.host && from.repository !== to.repository ? from.repository : undefined;
  const copied: Copied = { manifests: 0, blobs: 0, left: [] };
  const limit = pLimit(AT_ONCE);
  const done = new Set<string>();

  const read = async (name: string, depth: number) => {
    const wrong = (why: string) =>
      wrongAnswer(`the manifest ${name} of ${from.host}/${from.repository} ${why}`);
    if (done.size >= MOST_MANIFESTS) throw wrong(`is one of more than ${MOST_MANIFESTS}`);
    done.add(name);
    const manifest = await again(() => source.manifest(name, options));
    const parts = manifestParts(manifest);
    if (typeof parts === "string") throw wrong(parts);
    if (depth > DEEPEST) throw wrong("is one of too many in each other");
    return { ...manifest, parts };
  };

  /** All that a manifest names. */
  const copyParts = async ({ parts }: Awaited<ReturnType<typeof read>>, depth: number): Promise<void> => {
    for (const child of parts.manifests)
      if (!done.has(child.digest)) await copyWhole(child.digest, depth + 1);
    await Promise.all(
      parts.blobs.map((blob) =>
        limit(async () => {
          const content = () => source.blob(blob, { most: LARGEST, signal });
          if (await again(() => target.putBlob(blob, content, { signal, mountFrom }))) copied.blobs += 1;
        }),
      ),
    );
  };

  const copyWhole = async (name: string, depth: number): Promise<void> => {
    const one = await read(name, depth);
    await copyParts(one, depth);
    if ((await again(() => target.headManifest(name, options))) === null) {
      await again(() => target.putManifest(name, one.bytes, one.mediaType, options));
      copied.manifests += 1;
    }
    onProgress?.(done.size);
    await copyReferrers(name, depth);
  };

  /** @returns null for what is gone, or is not what a list says: anyone can add to a list. */
  const copyReferrer = (subject: string, { digest: name }: Referrer, depth: number, artifactType: string) =>
    unlessBroken(async () => {
      const one = await read(name, depth);
      const said = referrerOf(one.bytes, one.mediaType);
      if (subjectOf(one.bytes) !== subject || said.artifactType !== artifactType) return null;
      await copyParts(one, depth);
      return one;
    });

  const copyReferrers = async (subject: string, depth: number): Promise<void> => {
    const attached: AttachedManifest[] = [];
    for (const artifactType of types) {
      const { found } = await again(() => source.referrers(subject, { artifactType, signal }));
      for (const referrer of found) {
        if (done.has(referrer.digest)) continue;
        const one = await copyReferrer(subject, referrer, depth + 1, artifactType);
        if (one) attached.push(one);
        else if (referrer.artifactType === artifactType) copied.left.push(referrer.digest);
        else done.delete(referrer.digest);
      }
    }
    if (attached.length === 0) return;
    copied.manifests += await attachReferrers(target, subject, attached, deps);
    for (const { bytes } of attached) await copyReferrers(sha256(bytes), depth + 1);
  };

  await copyWhole(digest, 0);
  return copied;
}
