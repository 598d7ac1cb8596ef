import type { RepositoryName } from "../model/image-reference.ts";
import { MANIFEST_TYPE } from "../records/remote/record-artifact.ts";
import type { RepositoryClient } from "../tools/oci/repository-client.ts";

/** Signs, and knows its own signatures. */
export interface ProofSigner {
  /** @returns a bundle @throws FactoryError TOOL_MISSING, SIGNING_FAILED, INTERRUPTED */
  sign: (statement: Uint8Array) => Promise<Buffer>;
  /** Whether a bundle, which has the right statement in it, is signed by the same key. */
  isOwn: (bundle: Uint8Array, what: { digest: string; predicateType: string }) => Promise<boolean>;
}

/** A manifest that refers to another one. */
interface Attached {
  bytes: Uint8Array;
  mediaType: string;
}

/** What proof is attached with. */
export interface AttachProofDeps {
  repository: (name: RepositoryName) => RepositoryClient;
  /** Does something again that failed for a reason that may pass by itself. */
  again: <T>(work: () => Promise<T>) => Promise<T>;
  /** Stores manifests that refer to another one; see src/tools/oci/attach-referrers.ts. @returns how many are new */
  attach: (client: RepositoryClient, subject: string, manifests: readonly Attached[]) => Promise<number>;
  /** Signs what is attached; null if it is not signed. */
  signer: ProofSigner | null;
  /** Where else the image is: its signatures there are attached too. */
  from: readonly RepositoryName[];
  signal: AbortSignal;
}

/** Manifests as they are attached. */
export const attached = (manifests: readonly Uint8Array[]): Attached[] =>
  manifests.map((bytes) => ({ bytes, mediaType: MANIFEST_TYPE }));
