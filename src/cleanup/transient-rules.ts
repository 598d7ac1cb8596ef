import { ageMs } from "../model/age.ts";
import type { Policy } from "../schemas/types.ts";
import type { TransientTag } from "./transient-tag.ts";

/** How old images of each kind may get, in milliseconds; null for those that stay. */
export type TransientAges = Record<TransientTag["kind"], number | null>;

const DEFAULTS = { pull_request: "24h", branch: "7d", commit: "never" } as const;

/** The ages that a policy gives, with every default filled in. */
export function transientAges({ transient = {} }: Pick<Policy, "transient">): TransientAges {
  const said = { ...DEFAULTS, ...transient };
  // `never` is no length of time.
  return {
    pull_request: ageMs(said.pull_request),
    branch: ageMs(said.branch),
    commit: ageMs(said.commit),
  };
}
