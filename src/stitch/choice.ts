import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import type { Manifest, Template, Value } from "../schemas/types.ts";
import type { Piece } from "./piece.ts";

/**
 * Stands in for the highest version that a range takes: a lock. undefined: the lock says nothing of it, and the highest
 * is taken. Its word counts, whatever the range says. One function gives one answer for a name and a range: it is asked
 * once.
 * @param versions all that exist, sorted by semver, lowest first
 */
export type PickVersion = (
  what: "fragment" | "template",
  name: string,
  range: string,
  versions: readonly string[],
) => string | undefined;

/** What is asked of a manifest beyond what it says itself. */
export interface Choice {
  /** Versions or ranges by fragment name, in place of the manifest's. */
  set?: Readonly<Record<string, string>>;
  /**
   * Argument values by name: `port`, or `app.port` where several fragments declare a `port`. A text that has the form of the declared type is taken for it; numbers and booleans are
   * taken as they are.
   */
  args?: Readonly<Record<string, Value>>;
  /** What `{{base}}` stands for, in place of the manifest's. */
  base?: string;
  /** Platforms that every fragment has to work on. Default: the manifest's. */
  platforms?: readonly string[];
  pick?: PickVersion;
}

/** A manifest with every range resolved to one version. What it holds is shared: nobody may change it. */
export interface Resolved {
  manifest: Entry<Manifest>;
  template: FolderEntry<Template>;
  /** The fragments with their values, in the order of the template's slots, which is that of the Dockerfile. */
  pieces: readonly Piece[];
  /** What `{{base}}` stands for. */
  base: string;
}
