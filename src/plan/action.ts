/** What will be done about a cell. */
export type Action =
  /** The image is built, tested and recorded. */
  | "build"
  /** The image is known: it is tested again. */
  | "retest"
  /** Image and verdict are known: the image gets its tag. */
  | "retag"
  /** Nothing: a record proves it. */
  | "reuse";

/** Why a cell is not simply reused: the first of these that applies. */
export type Reason =
  /** No known attempt at it passed. */
  | "NEW"
  /** The base's reference or digest has changed, or the digest of another image that is read. */
  | "BASE"
  /** The image of the manifest that it starts from has changed, or is not proven: it is built or tested again. */
  | "PARENT"
  /** The template, its version or its text has changed. */
  | "TEMPLATE"
  /** Another version of a fragment, or another set of fragments. */
  | "FRAGMENT"
  /** The same versions, but the contents of a fragment's folder have changed. */
  | "FILES"
  /** The value of an argument has changed. */
  | "ARGS"
  /** The smoke tests have changed. */
  | "TESTS"
  /** What is asked of a proof has changed, or where the image goes. */
  | "POLICY"
  /** A fragment or the template says `reuse: never`. */
  | "NEVER"
  /** The proof is older than `max_age`, or from the future. */
  | "EXPIRED"
  /** A missing record or ledger may have held a later verdict. */
  | "LOST"
  /** The evidence of the proof was deleted on purpose. */
  | "PRUNED"
  /** The image that a record proves is not where it was, or its tag names another image. */
  | "IMAGE"
  /** Records were not asked. */
  | "NOT_ASKED"
  /** Nothing changed, but a cell that starts from it is wanted. */
  | "NEEDED"
  /** Told to build, whatever the records say. */
  | "FORCED"
  /** The plan says that it fails, so it is tried each time. */
  | "MEANT_TO_FAIL";

/** Where the image of a reused cell was seen; `unasked` if neither an engine nor a registry answered. */
export type Seen = "engine" | "registry" | "unasked";

/** One input that differs: `fragments.core`, `0.1.0`, `0.1.1`. null if there was, or is, none. */
export interface Change {
  input: string;
  before: string | null;
  after: string | null;
}
