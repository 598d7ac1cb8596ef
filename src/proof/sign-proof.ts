import { sha256 } from "../model/digest.ts";
import type { RepositoryName } from "../model/image-reference.ts";
import { type ArtifactSubject, EMPTY_CONFIG, EMPTY_DESCRIPTOR } from "../records/remote/record-artifact.ts";
import type { Referrer } from "../tools/oci/referrer-index.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";
import type { WholeRecord } from "../records/travel.ts";
import { attached, type AttachProofDeps, type ProofSigner } from "./attach-deps.ts";
import { bundleManifest, payloadOf } from "./bundles.ts";
import { attachedTo, readBundles } from "./read-bundles.ts";
import { imageStatement, recordStatements, type ToSign } from "./statements.ts";

/** A record, and what its statements are about: the manifest of its platform, and the index that this is in. */
export interface SignedRecord {
  whole: WholeRecord;
  subjects: readonly ArtifactSubject[];
}

/**
 * Signs what proves an image, and attaches it as cosign does: each record, its SBOM and its provenance as a statement about the
 * manifest of its platform and the index, and the image by itself. What this key has signed already is not signed again.
 * @param image `subjects`: what people ask for, and the manifests of its platforms
 * @returns how many signatures are new
 * @throws FactoryError TOOL_MISSING, SIGNING_FAILED, REGISTRY_*, REMOTE_BUSY
 */
export async function signProof(
  { name, subjects: about }: { name: RepositoryName; subjects: readonly ArtifactSubject[] },
  records: readonly SignedRecord[],
  client: RepositoryClient,
  { again, attach, signal }: Pick<AttachProofDeps, "again" | "attach" | "signal">,
  { sign, isOwn }: ProofSigner,
): Promise<number> {
  const listed = new Map<string, Promise<readonly Referrer[]>>();
  const listOf = (digest: string) => {
    let known = listed.get(digest);
    if (!known) listed.set(digest, (known = attachedTo({ client, again, signal }, digest)));
    return known;
  };
  const known = async (
    { predicateType, bytes, record_id }: ToSign,
    digest: string,
  ): Promise<Buffer | null> => {
    const list = await listOf(digest);
    const bundles = readBundles({ client, again, signal }, list, { predicateType, record_id });
    for await (const bundle of bundles)
      if (payloadOf(bundle)?.equals(bytes) && (await isOwn(bundle, { digest, predicateType }))) return bundle;
    return null;
  };

  const all = new Map(about.map((one) => [one.digest, one]));
  const digestsOf = (subjects: Iterable<ArtifactSubject>) => [...subjects].map(({ digest }) => digest);
  const wanted = [
    { statement: imageStatement(name, digestsOf(all.values())), subjects: [...all.values()] },
    ...records.flatMap(({ whole, subjects }) =>
      recordStatements(name, digestsOf(subjects), whole).map((statement) => ({ statement, subjects })),
    ),
  ];
  /** By the subject that they are attached to. */
  const missing = new Map<string, Buffer[]>();
  const bundles = new Map<string, Buffer>();
  for (const { statement, subjects } of wanted) {
    let bundle: Buffer | null = null;
    const lacking: ArtifactSubject[] = [];
    for (const subject of subjects) {
      const found = await known(statement, subject.digest);
      if (found) bundle = found;
      else lacking.push(subject);
    }
    if (lacking.length === 0) continue;
    bundle ??= await sign(statement.bytes);
    bundles.set(sha256(bundle), bundle);
    for (const subject of lacking) {
      const manifests = missing.get(subject.digest) ?? [];
      manifests.push(bundleManifest(bundle, statement, subject));
      missing.set(subject.digest, manifests);
    }
  }
  if (missing.size === 0) return 0;
  const options = { signal };
  await again(() => client.putBlob(EMPTY_DESCRIPTOR, EMPTY_CONFIG, options));
  for (const [digest, bytes] of bundles)
    await again(() => client.putBlob({ digest, size: bytes.length }, bytes, options));
  let added = 0;
  for (const [subject, manifests] of missing) added += await attach(client, subject, attached(manifests));
  return added;
}
