import type { Referrer } from "../tools/oci/referrer-index.ts";
import type { Signer } from "../tools/cosign.ts";
import { payloadOf } from "./bundles.ts";
import type { Link } from "./proof-link.ts";
import { readBundles, type ReadDeps } from "./read-bundles.ts";
import { PREDICATES } from "./statements.ts";

/** Says why a bundle is not signed by a signer and about an image; null if it is. */
export type VerifyBundle = (
  bundle: Uint8Array,
  what: { digest: string; predicateType: string },
  signer: Signer,
) => Promise<string | null>;

/** What signatures of records, or of other files, say about an image. */
export interface SignedStatements {
  /** How many there are, by anybody. */
  found: number;
  /** The sha256 of the files that a trusted signer stands for, and who that is. */
  records: Map<string, string>;
  /** The digests that the trusted statements are about. */
  digests: Set<string>;
  /** Why one does not count: the last one that does not. */
  why: string;
}

/** A signer, for people. */
function signerName({ key, identity }: Signer): string {
  return identity ? `${identity.subject} (${identity.issuer})` : (key ?? "the key");
}

interface Statement {
  subject?: { digest?: { sha256?: unknown } }[];
  predicate?: { sha256?: unknown } | null;
}

/** What a payload says, whose signature was checked. */
function said(payload: Buffer | null): { sha256: string | null; digests: string[] } {
  try {
    const { subject, predicate } = JSON.parse(payload?.toString("utf8") ?? "") as Statement;
    const digests = (Array.isArray(subject) ? subject : []).flatMap(({ digest }) =>
      typeof digest?.sha256 === "string" ? [`sha256:${digest.sha256}`] : [],
    );
    return { sha256: typeof predicate?.sha256 === "string" ? predicate.sha256 : null, digests };
  } catch {
    return { sha256: null, digests: [] };
  }
}

/**
 * Reads the signed statements about the records of an image, or about other files.
 * @param attached what is attached to the image
 * @param digest of the image's manifest, which a statement has to be about
 * @param signers whose signatures count; with none, they are only counted
 * @param predicateType what the statements are of, each with the sha256 of a file
 */
export async function signedStatements(
  deps: ReadDeps,
  attached: readonly Referrer[],
  digest: string,
  signers: readonly Signer[],
  verify: VerifyBundle,
  predicateType: string = PREDICATES.record,
): Promise<SignedStatements> {
  const statements: SignedStatements = { found: 0, records: new Map(), digests: new Set(), why: "" };
  for await (const bundle of readBundles(deps, attached, { predicateType })) {
    statements.found += 1;
    for (const signer of signers) {
      const why = await verify(bundle, { digest, predicateType }, signer);
      if (why !== null) {
        statements.why = why;
        continue;
      }
      const { sha256, digests } = said(payloadOf(bundle));
      if (sha256 !== null && !statements.records.has(sha256))
        statements.records.set(sha256, signerName(signer));
      for (const one of digests) statements.digests.add(one);
      break;
    }
  }
  return statements;
}

/** What signatures say about one record. @param sha256 of its file */
export function signatureOf(
  { found, records, why }: SignedStatements,
  { record_id, sha256 }: { record_id: string; sha256: string },
  signers: readonly Signer[],
): { status: Link["status"]; why: string } {
  const by = records.get(sha256);
  if (by !== undefined) return { status: "ok", why: `${record_id} is signed by ${by}` };
  const status = signers.length > 0 ? "broken" : "unchecked";
  if (found === 0) return { status, why: `nobody signed ${record_id}` };
  if (signers.length === 0)
    return { status, why: `${found} are there, and it is not said whose count: pass --key` };
  if (records.size > 0) return { status, why: `${record_id} is not the record that was signed` };
  return { status, why: `no signature of the ${found} there counts: ${why}` };
}
