/** A tag of one commit's images, which is not meant to stay. */
export interface TransientTag {
  kind: "pull_request" | "branch" | "commit";
  /** Seven digits. */
  commit: string;
}

/** `pr-12-0d1a26e`, `sha-0d1a26e`, `feature-x-0d1a26e`; behind each there may be what tells combinations apart. */
const FORM = /^(?:(pr)-\d+|(sha)|([a-z0-9_][a-z0-9._-]*?))-([0-9a-f]{7})(?:-.+)?$/;

/**
 * What a tag says that it is of, as `factory tags` names what comes from git and the CI event (docs/tags.md). A branch's tag looks
 * like others that end in seven digits, so it counts only if there is such a commit.
 * @param isCommit whether git knows a commit by these digits
 * @returns null for a tag that stays
 */
export function transientTag(tag: string, isCommit: (digits: string) => boolean): TransientTag | null {
  const [, pr, sha, branch, commit] = FORM.exec(tag) ?? [];
  if (commit === undefined) return null;
  if (pr !== undefined) return { kind: "pull_request", commit };
  if (sha !== undefined) return { kind: "commit", commit };
  if (branch === undefined) return null;
  // The lazy part ends at the first seven digits; a name may have such digits in it too.
  for (const [, digits = ""] of tag.matchAll(/-(?=([0-9a-f]{7})(?:-|$))/g))
    if (isCommit(digits)) return { kind: "branch", commit: digits };
  return null;
}
