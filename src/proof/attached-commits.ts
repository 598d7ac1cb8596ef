import { FactoryError } from "../errors.ts";
import { readArtifactRecord } from "../records/remote/read-artifact.ts";
import { RECORD_ARTIFACT } from "../records/remote/record-artifact.ts";
import type { RecordStore } from "../records/store.ts";
import { attachedTo, type ReadDeps, usable } from "./read-bundles.ts";

/** The newest records that are read of an image. */
const MOST = 8;

/**
 * The commits at which the image behind a digest was proven, as the records say that are attached to it. What is no record is
 * passed over.
 * @throws FactoryError REGISTRY_*, INTERRUPTED
 */
export async function attachedCommits(
  deps: ReadDeps,
  digest: string,
  store: Pick<RecordStore, "foreign">,
): Promise<string[]> {
  const { client, again, signal } = deps;
  const attached = await attachedTo(deps, digest);
  const records = attached.filter(({ artifactType }) => artifactType === RECORD_ARTIFACT);
  const commits = new Set<string>();
  for (const one of records.slice(-MOST)) {
    const manifest = await usable(again(() => client.manifest(one.digest, { signal })));
    if (!manifest) continue;
    try {
      const { record } = await readArtifactRecord(manifest.bytes, undefined, store, deps);
      if (record.source.commit !== null) commits.add(record.source.commit);
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== "REMOTE_CONTENT") throw error;
    }
  }
  return [...commits];
}
