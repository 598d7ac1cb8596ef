import type { Finding } from "../errors.ts";
import type { Documents } from "../schemas/types.ts";
import type { PlaceOf } from "./catalog.ts";
import type { Sound } from "./sound.ts";

/** What a policy asks for has to be possible: a signature counts only if it is said whose does. */
export function checkPolicy({ promotion, signature }: Sound<Documents["policy"]>, place: PlaceOf): Finding[] {
  const at = (promotion?.requires ?? []).indexOf("signature");
  if (at < 0 || signature?.keys !== undefined || signature?.identities !== undefined) return [];
  return [
    {
      code: "POLICY_INVALID",
      what: "the policy asks for a signature, and does not say whose counts",
      where: place(["promotion", "requires", at]),
      fix: "add `signature: {keys: [cosign.pub]}`, or identities: see docs/proof.md",
    },
  ];
}
