import { buffer } from "node:stream/consumers";
import { FactoryError } from "../../errors.ts";
import type { FactoryRecord } from "../../schemas/types.ts";
import type { RepositoryClient } from "../../tools/oci/repository-client.ts";
import type { RecordStore } from "../store.ts";
import { evidenceOf } from "../evidence.ts";
import { readRecordManifest, type RecordParts } from "./record-artifact.ts";

/** How artifacts are read. */
export interface ReadArtifactDeps {
  client: RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  signal: AbortSignal;
}

/** A record as its artifact holds it: it has the hash in its id, and its evidence is still to be read. */
export interface ArtifactRecord {
  record: FactoryRecord;
  text: Buffer;
  parts: RecordParts;
}

/** The largest record, and piece of evidence, in bytes. */
const MOST_RECORD = 8 << 20;
const MOST_EVIDENCE = 512 << 20;

const refused = (recordId: string, why: string) =>
  new FactoryError("REMOTE_CONTENT", `the record ${recordId} of the remote is not what it says: ${why}`, {
    fix: "nothing of it was used; see who else writes to that repository",
  });

/**
 * Reads the record in an artifact.
 * @param manifest its bytes
 * @param recordId the id that it has to have; undefined for the one that it says
 * @throws FactoryError REMOTE_CONTENT, REGISTRY_*
 */
export async function readArtifactRecord(
  manifest: Uint8Array,
  recordId: string | undefined,
  { foreign }: Pick<RecordStore, "foreign">,
  { client, again, signal }: ReadArtifactDeps,
): Promise<ArtifactRecord> {
  const parts = readRecordManifest(manifest, recordId ?? "an artifact");
  const text = await again(() => buffer(client.blob(parts.record, { most: MOST_RECORD, signal })));
  const id = recordId ?? idIn(text);
  const problem = await foreign(text, id);
  if (problem !== null) throw refused(id, problem);
  return { record: JSON.parse(text.toString("utf8")) as FactoryRecord, text, parts };
}

/** The id that a record says it has; "" for what is none. */
function idIn(text: Buffer): string {
  try {
    const { record_id } = JSON.parse(text.toString("utf8")) as { record_id?: unknown };
    return typeof record_id === "string" ? record_id : "";
  } catch {
    return "";
  }
}

/** The evidence of a record, by its sha256: all that it names. @throws FactoryError REMOTE_CONTENT, REGISTRY_* */
export async function readArtifactEvidence(
  { record, parts }: ArtifactRecord,
  { client, again, signal }: ReadArtifactDeps,
): Promise<Map<string, Uint8Array>> {
  const evidence = new Map<string, Uint8Array>();
  for (const piece of evidenceOf(record)) {
    const digest = `sha256:${piece.sha256}`;
    const part = parts.evidence.find((one) => one.digest === digest);
    if (part?.size !== piece.bytes) throw refused(record.record_id, `it lacks the evidence ${digest}`);
    const bytes = await again(() => buffer(client.blob(part, { most: MOST_EVIDENCE, signal })));
    evidence.set(piece.sha256, bytes);
  }
  return evidence;
}
