import { KEYLESS, type SigningSettings } from "../model/signing.ts";
import type { Cosign } from "../tools/cosign.ts";
import type { ProofSigner } from "./attach-deps.ts";

/**
 * Signs by cosign with what factory.yaml or the environment names. Its own signatures are told by its public key; of those in a
 * keyless flow it is not known whose they are, so what is signed in that way is signed again.
 */
export function ownSigner(
  cosign: Cosign,
  { key, transparencyLog }: SigningSettings,
  signal: AbortSignal,
): ProofSigner {
  let pem: Promise<string> | undefined;
  return {
    sign: (statement) => cosign.sign(statement, { key, transparencyLog }, signal),
    isOwn: async (bundle, what) => {
      if (key === KEYLESS) return false;
      pem ??= cosign.publicKey(key, signal);
      return (await cosign.verify(bundle, what, { pem: await pem, transparencyLog }, signal)) === null;
    },
  };
}
