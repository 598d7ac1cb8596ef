import type { ImageReference, RepositoryName } from "../model/image-reference.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";

/** What registries are asked with. Every function may throw RegistryError, and FactoryError REGISTRY_LOGIN or INTERRUPTED. */
export interface RegistryDeps {
  repository: (name: RepositoryName) => RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  /** Has a repository hold a manifest, and all that it names, of another one. What is there already is not sent. */
  copy: (digest: string, places: { from: RepositoryName; to: RepositoryName }) => Promise<void>;
  /** Attaches manifests to another one, so that they are found from there; see src/tools/oci/attach-referrers.ts. */
  attach: (
    to: RepositoryName,
    subject: string,
    manifests: readonly { bytes: Uint8Array; mediaType: string }[],
  ) => Promise<number>;
  signal: AbortSignal;
}

/** A tag in a repository. */
export type TagReference = ImageReference & { tag: string };

/** The digest that a tag names; null if it names none. */
export function servedBy(
  { repository, again, signal }: RegistryDeps,
  ref: TagReference,
): Promise<string | null> {
  const client = repository(ref);
  return again(() => client.headManifest(ref.tag, { signal }));
}

/** Requests at once. */
export const AT_ONCE = 16;
