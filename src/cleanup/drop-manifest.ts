import type { RepositoryName } from "../model/image-reference.ts";
import type { PackageClient } from "../tools/github/package-client.ts";
import type { CleanupDeps } from "./cache-repository.ts";

interface DropDeps extends Omit<CleanupDeps, "signal"> {
  githubPackage: (repository: string) => Promise<PackageClient>;
}

/**
 * What deletes manifests of a repository, each with all its tags. Registries do that themselves; for ghcr.io, GitHub's API does.
 * @param tagsOf the tags that a digest is known to have
 * @returns what deletes one, and says whether it is gone: one that is seen to have another tag stays. It throws REGISTRY_*, INTERRUPTED,
 * and for ghcr.io what `dropVersions` names
 * @throws FactoryError as `githubPackage`
 */
export async function dropOf(
  { host, repository }: RepositoryName,
  { client, again, githubPackage }: DropDeps,
  tagsOf: (digest: string) => readonly string[],
): Promise<(digest: string, signal: AbortSignal) => Promise<boolean>> {
  if (host !== "ghcr.io")
    return async (digest, signal) => {
      await again(() => client.deleteManifest(digest, { signal }));
      return true;
    };
  const [{ dropVersions }, packaged] = await Promise.all([
    import("./github-packages.ts"),
    githubPackage(repository),
  ]);
  return dropVersions({ client: packaged, again, tagsOf });
}
