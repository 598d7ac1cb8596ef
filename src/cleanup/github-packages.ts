import { FactoryError } from "../errors.ts";
import type { PackageClient, PackageVersion } from "../tools/github/package-client.ts";
import type { CleanupDeps } from "./cache-repository.ts";

interface DropDeps extends Pick<CleanupDeps, "again"> {
  client: PackageClient;
  /** The tags that a digest is known to have. */
  tagsOf: (digest: string) => readonly string[];
}

/**
 * How images of ghcr.io are deleted, which its registry does not do itself: each manifest is a version of a package, and GitHub deletes
 * those. What GitHub says of a version right before is looked at: it knows of a tag that somebody gave meanwhile.
 * @returns what deletes a manifest with all its tags, and says whether it is gone; not one with a tag that is not known. It throws
 * FactoryError PRUNE_UNRESOLVED where GitHub does not say which tags there are, PACKAGE_UNDELETABLE, REGISTRY_*, INTERRUPTED
 */
export function dropVersions({
  client,
  again,
  tagsOf,
}: DropDeps): (digest: string, signal: AbortSignal) => Promise<boolean> {
  let ids = new Map<string, number>();
  let lists = 0;

  const list = async (signal: AbortSignal): Promise<void> => {
    lists += 1;
    const found = new Map<string, number>();
    for (let page = 1; ; page += 1) {
      const { versions, isLast } = await again(() => client.versions(page, signal));
      const before = found.size;
      for (const { id, name } of versions) found.set(name, id);
      // One that gives the same page for ever has no more.
      if (isLast || found.size === before) break;
    }
    ids = found;
  };

  const unresolved = (digest: string, why: string) =>
    new FactoryError("PRUNE_UNRESOLVED", `${client.name}@${digest} stays: ${why}`, {
      fix: "nothing more is deleted; run it again",
    });

  /** Whether a version has no tag but those that are known. @throws FactoryError PRUNE_UNRESOLVED */
  const isAsKnown = (digest: string, { name, tags }: PackageVersion): boolean => {
    if (name !== digest || tags === null) throw unresolved(digest, "GitHub does not say which tags it has");
    const known = tagsOf(digest);
    return tags.every((tag) => known.includes(tag));
  };

  return async (digest, signal) => {
    if (lists === 0) await list(signal);
    // One may be left out of a list that others change while it is read.
    if (!ids.has(digest) && lists === 1) await list(signal);
    const id = ids.get(digest);
    if (id === undefined) {
      if (tagsOf(digest).length > 0) throw unresolved(digest, "GitHub does not list it");
      return true;
    }
    const version = await again(() => client.version(id, signal));
    if (version === null) return true;
    if (!isAsKnown(digest, version)) return false;
    await again(() => client.remove(id, signal));
    return true;
  };
}
