const COMMIT = /^[a-f0-9]{40}(?:[a-f0-9]{24})?$/;
/** What a push that deletes something names in place of a commit. */
const NONE = /^0+$/;

/** Whether a value is the whole hash of a commit: SHA-1 or SHA-256, in hex. */
export function isCommit(value: unknown): value is string {
  return typeof value === "string" && COMMIT.test(value) && !NONE.test(value);
}

/** The seven digits by which tags name a commit. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 7);
}
