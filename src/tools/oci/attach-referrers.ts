import { FactoryError } from "../../errors.ts";
import { sha256 } from "../../model/digest.ts";
import { settle } from "../../model/settle.ts";
import { type Referrer, referrerOf, withReferrers } from "./referrer-index.ts";
import { fallbackTag } from "./referrers.ts";
import { wrongAnswer } from "./registry-error.ts";
import type { RepositoryClient } from "./repository-client.ts";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** What is needed to write to a registry beside others. */
export interface AttachDeps {
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, but not 1. */
  random: () => number;
  signal: AbortSignal;
}

/** A manifest that has a `subject`. */
export interface AttachedManifest {
  bytes: Uint8Array;
  mediaType: string;
}

/**
 * Stores manifests whose `subject` is another one, so that they are found from there: by the API for referrers, or, where the
 * registry has none, behind the tag that stands in for it. Their blobs have to be there. What is there stays.
 * @param subject the digest that each of them names
 * @returns how many of them were not there before
 * @throws RegistryError; FactoryError REMOTE_BUSY if others go on writing that tag
 */
export async function attachReferrers(
  client: RepositoryClient,
  subject: string,
  manifests: readonly AttachedManifest[],
  { again, sleep, random, signal }: AttachDeps,
): Promise<number> {
  const options = { signal };
  const unnoted: Referrer[] = [];
  let stored = 0;
  for (const { bytes, mediaType } of manifests) {
    if ((await again(() => client.headManifest(sha256(bytes), options))) === null) stored += 1;
    // It is sent even if it is there: only then does the registry tell whether it took note of the subject.
    const { noted } = await again(() => client.putReferrer(subject, bytes, mediaType, options));
    if (!noted) unnoted.push(referrerOf(bytes, mediaType));
  }
  if (unnoted.length === 0) return stored;
  const tag = fallbackTag(subject);
  const settled = await settle(
    async () => {
      const there = await again(() => client.headManifest(tag, options));
      const before = there === null ? null : await again(() => client.manifest(tag, options));
      const written = withReferrers(before?.bytes ?? null, unnoted);
      if (written === undefined) throw wrongAnswer(`the tag ${tag} is not a list of referrers`);
      if (written === null) return false;
      await again(() => client.putManifest(tag, written, INDEX_TYPE, options));
      return true;
    },
    { sleep, random, signal },
  );
  if (!settled) {
    throw new FactoryError("REMOTE_BUSY", `other writers go on replacing the tag ${tag}`, {
      fix: "run the command again when fewer machines write to that repository",
    });
  }
  return stored;
}
