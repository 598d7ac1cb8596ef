import type { Mask } from "../../model/mask.ts";
import { type CredentialDeps, dockerCredentials } from "./credentials.ts";
import { moveTag } from "./move-tag.ts";
import { createRegistry, type OpenRepository } from "./repository-client.ts";
import { servedDigest } from "./served-digest.ts";

/** Registries, as Docker's command line is logged in to them. */
export interface Registries {
  open: OpenRepository;
  /** What a registry has under a tag; see served-digest.ts. */
  servedDigest: (ref: string) => Promise<string | null | undefined>;
  /** See move-tag.ts. */
  moveTag: (ref: string, digest: string, signal?: AbortSignal) => Promise<boolean>;
}

/** A look-up has another way to its answer, and does not wait long for this one. */
const LOOK_UP = { answerMs: 4000, stallMs: 4000 };

export function dockerRegistries(deps: CredentialDeps & { mask: Mask }): Registries {
  const { exec, mask } = deps;
  const known = { credentialsOf: dockerCredentials(deps), now: Date.now, mask };
  const quick = createRegistry({ ...known, patience: LOOK_UP });
  const open = createRegistry(known);
  return {
    open,
    moveTag: (ref, digest, signal) => moveTag(ref, digest, open, signal),
    servedDigest: (ref) => servedDigest(ref, { open: quick, exec }),
  };
}
