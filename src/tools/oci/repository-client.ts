import type { RepositoryName } from "../../model/image-reference.ts";
import { type BlobClient, blobClient } from "./blobs.ts";
import { createConnections, type RegistryDeps, type Stoppable } from "./connection.ts";
import { type ManifestClient, manifestClient } from "./manifests.ts";
import { type ReferrerClient, referrerClient } from "./referrers.ts";
import { listTags } from "./tag-list.ts";

/** A repository that is asked over HTTP. Every function may throw RegistryError, and FactoryError REGISTRY_LOGIN or INTERRUPTED. */
export interface RepositoryClient extends ManifestClient, BlobClient, ReferrerClient {
  /** All of its tags, in the registry's order. @throws RegistryError REGISTRY_NOT_FOUND for an unknown repository */
  tags: (options?: Stoppable) => Promise<string[]>;
}

/** Gives the client of a repository. */
export type OpenRepository = (name: RepositoryName) => RepositoryClient;

/** Registries that are asked over HTTP, each when one of its repositories is. */
export function createRegistry(deps: RegistryDeps): OpenRepository {
  const connect = createConnections(deps);
  return (name) => {
    const connection = connect(name);
    const manifests = manifestClient(connection);
    return {
      ...manifests,
      ...referrerClient(connection, manifests),
      ...blobClient(connection),
      tags: (options) => listTags(connection, options),
    };
  };
}
