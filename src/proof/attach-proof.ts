import pLimit from "p-limit";
import { FactoryError } from "../errors.ts";
import { sha256 } from "../model/digest.ts";
import { type RepositoryName, referenceText } from "../model/image-reference.ts";
import type { WholeRecord } from "../records/travel.ts";
import { evidenceOf } from "../records/evidence.ts";
import { type ArtifactSubject, EMPTY_CONFIG, EMPTY_DESCRIPTOR } from "../records/remote/record-artifact.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";
import { type PlatformManifest, platformManifests } from "./platform-manifests.ts";
import { carrySignatures } from "./carry-signatures.ts";
import { proofManifests } from "./proof-artifacts.ts";
import { signProof } from "./sign-proof.ts";
import { attached, type AttachProofDeps } from "./attach-deps.ts";

/** An image in a repository. */
export interface ImageAt extends RepositoryName {
  /** Of an index, or of the manifest of one platform. */
  digest: string;
}

/** Requests at once. */
const AT_ONCE = 8;

/** What an image has to have attached. */
interface Proof {
  subject: ArtifactSubject;
  whole: WholeRecord;
}

/** Which record goes where: to the manifest of its platform, and to the index that people ask for. */
function placesOf(
  records: readonly WholeRecord[],
  top: ArtifactSubject,
  platforms: readonly PlatformManifest[],
): Proof[] {
  return records.flatMap((whole) => {
    const { record } = whole;
    const own = platforms.find(({ digest }) => digest === record.image?.manifest_digest);
    if (!own) {
      throw new FactoryError(
        "PROOF_MISMATCH",
        `the record ${record.record_id} is about another image than ${top.digest}`,
        {
          fix: "build and push the image again with `factory run --push`",
        },
      );
    }
    const { mediaType, digest, size } = own;
    return [top, { mediaType, digest, size }]
      .filter((subject, at) => at === 0 || subject.digest !== top.digest)
      .map((subject) => ({ subject, whole }));
  });
}

/** Stores what is to be attached and is not there, or is not found from the image. @returns how many artifacts are new */
async function storeProof(
  places: readonly Proof[],
  client: RepositoryClient,
  { again, attach, signal }: AttachProofDeps,
): Promise<number> {
  const options = { signal };
  const limit = pLimit(AT_ONCE);
  const put = (blob: { digest: string; size: number }, bytes: () => Uint8Array) =>
    limit(() => again(() => client.putBlob(blob, bytes(), options)));
  const isListed = async (subject: string, manifests: readonly Buffer[]): Promise<boolean> => {
    const { found } = await limit(() => again(() => client.referrers(subject, options)));
    const listed = new Set(found.map(({ digest }) => digest));
    return manifests.every((bytes) => listed.has(sha256(bytes)));
  };

  const missing = new Map<string, Buffer[]>();
  const wanted = new Set<WholeRecord>();
  await Promise.all(
    places.map(async ({ subject, whole }) => {
      const manifests = proofManifests(whole, subject);
      const there = await Promise.all(
        manifests.map((bytes) => limit(() => again(() => client.headManifest(sha256(bytes), options)))),
      );
      if (there.every((one) => one !== null) && (await isListed(subject.digest, manifests))) return;
      wanted.add(whole);
      missing.set(subject.digest, [...(missing.get(subject.digest) ?? []), ...manifests]);
    }),
  );
  if (missing.size === 0) return 0;
  await put(EMPTY_DESCRIPTOR, () => EMPTY_CONFIG);
  await Promise.all(
    [...wanted].flatMap(({ record, text, evidence }) => [
      put({ digest: sha256(text), size: text.length }, () => text),
      ...evidenceOf(record).map((piece) =>
        put({ digest: `sha256:${piece.sha256}`, size: piece.bytes }, () => evidence(piece)),
      ),
    ]),
  );
  const stored = await Promise.all(
    [...missing].map(([subject, manifests]) => attach(client, subject, attached(manifests))),
  );
  return stored.reduce((sum, one) => sum + one, 0);
}

/**
 * Attaches what proves an image to it, in the image's own repository, so that it is found from a bare digest: the records of
 * its platforms with all their evidence, and their SBOMs and provenances as scanners look for them. Each is attached to the
 * manifest of its platform, and to the index. What is there already is not sent again.
 * @param records of the image's platforms
 * @returns how many artifacts are new; null if the image is not there
 * @throws FactoryError PROOF_MISMATCH if a record is about another image; EVIDENCE_LOST; REGISTRY_*, REMOTE_BUSY
 */
export async function attachProof(
  { digest, ...name }: ImageAt,
  records: readonly WholeRecord[],
  deps: AttachProofDeps,
): Promise<number | null> {
  const { again, signer, signal } = deps;
  const client = deps.repository(name);
  const options = { signal };
  if ((await again(() => client.headManifest(digest, options))) === null) return null;
  const served = await again(() => client.manifest(digest, options));
  const platforms = platformManifests(served);
  if (typeof platforms === "string") {
    const ref = referenceText({ ...name, tag: null, digest });
    throw new FactoryError("PROOF_MISMATCH", `${ref} is no image: it ${platforms}`, {
      fix: "see what is there with `crane manifest`",
    });
  }
  const top = { mediaType: served.mediaType, digest, size: served.bytes.length };
  const places = placesOf(records, top, platforms);
  let stored = await storeProof(places, client, deps);
  const digests = [...new Set([digest, ...platforms.map((one) => one.digest)])];
  for (const from of deps.from)
    if (from.host !== name.host || from.repository !== name.repository)
      stored += await carrySignatures(digests, { from, to: name }, deps);
  if (!signer) return stored;
  const signed = records.map((whole) => ({
    whole,
    subjects: places.flatMap((one) => (one.whole === whole ? [one.subject] : [])),
  }));
  return stored + (await signProof({ name, subjects: [top, ...platforms] }, signed, client, deps, signer));
}
