import type { Mask } from "../../model/mask.ts";
import { type CredentialDeps, dockerCredentials } from "./credentials.ts";
import { createRegistry, type OpenRepository } from "./repository-client.ts";
import { servedDigest } from "./served-digest.ts";

/** Registries, as Docker's command line is logged in to them. */
export interface Registries {
  open: OpenRepository;
  /** What a registry has under a tag; see served-digest.ts. */
  servedDigest: (ref: string) => Promise<string | null | undefined>;
}

export function dockerRegistries(deps: CredentialDeps & { mask: Mask }): Registries {
  const { exec, mask } = deps;
  const open = createRegistry({ credentialsOf: dockerCredentials(deps), now: Date.now, mask });
  return { open, servedDigest: (ref) => servedDigest(ref, { open, exec }) };
}
