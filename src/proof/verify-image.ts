import { FactoryError } from "../errors.ts";
import { sha256Hex } from "../model/digest.ts";
import { quoted } from "../model/visible.ts";
import {
  type ArtifactRecord,
  readArtifactEvidence,
  readArtifactRecord,
} from "../records/remote/read-artifact.ts";
import type { PrunedHere } from "../records/pruned-here.ts";
import { RECORD_ARTIFACT } from "../records/remote/record-artifact.ts";
import type { RecordStore } from "../records/store.ts";
import type { FactoryRecord, RecordImage } from "../schemas/types.ts";
import type { Signer } from "../tools/cosign.ts";
import type { Referrer } from "../tools/oci/referrer-index.ts";
import type { Link } from "./proof-link.ts";
import { type PlatformManifest, platformManifests } from "./platform-manifests.ts";
import { attachedTo, type ReadDeps, usable } from "./read-bundles.ts";
import {
  signatureOf,
  type SignedStatements,
  signedStatements,
  type VerifyBundle,
} from "./signed-statements.ts";

export interface VerifyDeps extends ReadDeps {
  store: Pick<RecordStore, "foreign" | "claims">;
  /** Whose signatures count; none if that is not said. */
  signers: readonly Signer[];
  verify: VerifyBundle;
  /** Which records had their evidence pruned here: what a registry lacks of it cannot be checked. */
  prunedHere: PrunedHere;
}

/** A record that is attached to an image and is what it says. */
export interface AttachedRecord {
  record: FactoryRecord & { image: RecordImage };
  platform: string;
  /** By sha256. */
  evidence: ReadonlyMap<string, Uint8Array>;
}

export interface Verified {
  links: Link[];
  /** Of the image that people ask for. */
  digest: string;
  /** Of each platform the one that proves it. */
  records: AttachedRecord[];
}

/** The most records of a platform that are read: whoever may write there can attach any number. */
const MOST_RECORDS = 50;

/** What artifacts hold that are not what they say. */
const NO_RECORD: ReadonlySet<string> = new Set(["REMOTE_CONTENT", "REGISTRY_CONTENT", "REGISTRY_NOT_FOUND"]);

/** Gives why what others attached is not what it says. */
async function orWhy<T>(work: Promise<T>): Promise<T | { why: string }> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FactoryError && NO_RECORD.has(error.code)) return { why: error.message };
    throw error;
  }
}

interface Candidate extends ArtifactRecord {
  /** Whether somebody signed it whose signature counts. */
  isSigned: boolean;
}

/** What was found out about one record. */
type Outcome = { links: Link[]; proven: AttachedRecord | null };

/** The records that are attached to the image of a platform: signed ones first, then the newest. */
async function candidatesOf(
  attached: readonly Referrer[],
  { digest: own }: PlatformManifest,
  signed: SignedStatements,
  deps: VerifyDeps,
): Promise<{ candidates: Candidate[]; refused: string[] }> {
  const { client, again, signal } = deps;
  const listed = attached.filter(
    ({ artifactType }) =>
      artifactType === RECORD_ARTIFACT || artifactType === "" || artifactType.includes("empty"),
  );
  const candidates: Candidate[] = [];
  const refused: string[] = [];
  for (const { digest, artifactType } of listed.slice(-MOST_RECORDS)) {
    const manifest = await usable(again(() => client.manifest(digest, { signal })));
    const read = manifest
      ? await orWhy(readArtifactRecord(manifest.bytes, undefined, deps.store, deps))
      : { why: `${digest} is listed, and the registry does not have it as that` };
    if ("why" in read) {
      // What does not even say that it is a record is none of ours.
      if (artifactType === RECORD_ARTIFACT) refused.push(read.why);
    } else if (read.record.image?.manifest_digest !== own) {
      if (artifactType === RECORD_ARTIFACT && read.record.image?.digest === own) continue;
      refused.push(`${read.record.record_id} is about another image`);
    } else candidates.push({ ...read, isSigned: signed.records.has(sha256Hex(read.text)) });
  }
  const rank = ({ isSigned, record }: Candidate) => `${Number(isSigned)}${record.record_id}`;
  candidates.sort((a, b) => (rank(a) < rank(b) ? 1 : rank(a) > rank(b) ? -1 : 0));
  return { candidates, refused };
}

/** Checks a record against its evidence. */
async function outcomeOf(
  { record, text, parts }: Candidate,
  platform: string,
  signed: SignedStatements,
  deps: VerifyDeps,
): Promise<Outcome> {
  const { signers, store } = deps;
  const { record_id, result, image } = record;
  const links: Link[] = [];
  const add = (link: string, status: Link["status"], why: string) =>
    void links.push({ link, platform, status, why });
  const signature = signatureOf(signed, { record_id, sha256: sha256Hex(text) }, signers);
  add("signature", signature.status, signature.why);
  const isPass = result.status === "pass" && image !== null;
  add("record", isPass ? "ok" : "broken", isPass ? record_id : `${record_id} is of a ${result.status}`);
  if (!isPass) return { links, proven: null };

  const evidence = await orWhy(readArtifactEvidence({ record, text, parts }, deps));
  if ("why" in evidence) {
    const pruned = deps.prunedHere(record.manifest_id, record_id, sha256Hex(text));
    if (pruned === null) add("evidence", "broken", evidence.why);
    else add("evidence", "unchecked", `it was pruned on ${pruned.slice(0, 10)}, and ${evidence.why}`);
    return { links, proven: null };
  }
  const [first, ...more] = await store.claims(record, evidence);
  if (first) {
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    add("evidence", "broken", `${first.code}: ${first.what}${others}`);
    return { links, proven: null };
  }
  add("evidence", "ok", `${evidence.size} pieces have their hashes, and prove what the record claims`);
  return { links, proven: { record: { ...record, image }, platform, evidence } };
}

/** From the manifest of one platform to its record and the evidence of that. */
async function platformOutcome(
  own: PlatformManifest,
  platform: string,
  attached: readonly Referrer[],
  signed: SignedStatements,
  deps: VerifyDeps,
): Promise<Outcome> {
  const { candidates, refused } = await candidatesOf(attached, own, signed, deps);
  let first: Outcome | undefined;
  for (const candidate of candidates) {
    const outcome = await outcomeOf(candidate, platform, signed, deps);
    const isGood = outcome.links.every(({ status }) => status !== "broken");
    if (isGood) return outcome;
    first ??= outcome;
  }
  if (first) return first;
  const why = refused[0] ?? "no record is attached to it";
  return { links: [{ link: "record", platform, status: "broken", why }], proven: null };
}

/**
 * Walks from an image to its records and their evidence, by what is attached to it: every hash on the way is computed, and
 * whatever the evidence proves is computed again.
 * @param ref a tag or a digest
 * @throws FactoryError REGISTRY_*, TOOL_MISSING, INTERRUPTED
 */
export async function verifyImage(ref: string, deps: VerifyDeps): Promise<Verified> {
  const { client, again, signal, signers, verify } = deps;
  const served = await again(() => client.manifest(ref, { signal }));
  const { digest } = served;
  const platforms = platformManifests(served);
  if (typeof platforms === "string") {
    const why = `${digest} ${platforms}`;
    return { links: [{ link: "image", status: "broken", why }], digest, records: [] };
  }
  const links: Link[] = [];
  const records: AttachedRecord[] = [];
  const about = new Set<string>();
  const toAll = await attachedTo(deps, digest);
  for (const [at, own] of platforms.entries()) {
    const platform = own.platform ?? `manifest ${at + 1}`;
    const attached = [
      ...new Map(
        [...toAll, ...(own.digest === digest ? [] : await attachedTo(deps, own.digest))].map((one) => [
          one.digest,
          one,
        ]),
      ).values(),
    ];
    const signed = await signedStatements(deps, attached, own.digest, signers, verify);
    for (const one of signed.digests) about.add(one);
    const { links: found, proven } = await platformOutcome(own, platform, attached, signed, deps);
    const name = proven?.record.platform ?? platform;
    links.push(...found.map((link) => ({ ...link, platform: name })));
    if (!proven) continue;
    if (own.platform !== null && !own.platform.startsWith(proven.record.platform))
      links.push({
        link: "image",
        platform: name,
        status: "broken",
        why: `the index says that it is for ${quoted(own.platform)}, and its record that it is for ${name}`,
      });
    records.push({ ...proven, platform: name });
  }
  const many = platforms.length === 1 ? "one platform" : `${platforms.length} platforms`;
  const whole: Link[] = [{ link: "image", status: "ok", why: `${digest}, with ${many}` }];
  if (signers.length > 0 && platforms[0]?.digest !== digest)
    whole.push(
      about.has(digest)
        ? { link: "signature", status: "ok", why: "the index is in a signed statement" }
        : { link: "signature", status: "broken", why: "no signed statement is about the index" },
    );
  return { links: [...whole, ...links], digest, records };
}
