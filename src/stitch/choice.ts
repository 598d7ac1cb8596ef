import type { Entry, FolderEntry } from "../catalog/catalog.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Template, Value } from "../schemas/types.ts";
import type { Piece } from "./piece.ts";

/**
 * Chooses a version in place of the highest one in a range: a lock. Its answer counts, whatever the range says; undefined
 * means that it has none, and the highest is taken. It is asked once for each name and range.
 * @param versions all that exist, sorted by their scheme, lowest first
 */
export type PickVersion = (
  what: "fragment" | "template",
  name: string,
  range: string,
  versions: readonly string[],
) => string | undefined;

/** What is chosen for a manifest beyond what it says itself. */
export interface Choice {
  /** Versions or ranges by fragment name, in place of the manifest's. */
  set?: Readonly<Record<string, string>>;
  /**
   * Argument values by name: `port`, or `app.port` if several fragments declare a `port`. A text that has the form of the
   * declared type is converted to it; numbers and booleans are taken as they are.
   */
  args?: Readonly<Record<string, Value>>;
  /** What `{{base}}` means, in place of the manifest's base. */
  base?: string;
  /** Platforms that every fragment has to work on. Default: the manifest's. */
  platforms?: readonly string[];
  pick?: PickVersion;
}

/** A fragment that does not have the version that its range alone would give, since that does not fit the others. */
export interface Lowered {
  name: string;
  version: string;
  /** The version that it would have by itself: the highest, or the one that a lock names. */
  highest: string;
  /** What that version does not meet, such as `light@0.2.0 requires core ~0.1`. */
  because: string[];
}

/** A lowered version as people read it: `core 0.1.0, not 0.2.0, because light@0.2.0 requires core ~0.1`. */
export function loweredText({ name, version, highest, because }: Lowered): string {
  return `${name} ${version}, not ${highest}, because ${because.join(" and ")}`;
}

/** A manifest with every range resolved to one version. Its parts are shared: nobody may change them. */
export interface Resolved {
  manifest: Entry<Manifest>;
  template: FolderEntry<Template>;
  /** The fragments with their values, in the order of the template's slots and thus of the Dockerfile. */
  pieces: readonly Piece[];
  /** The fragments whose version was chosen to fit the others; empty for most. */
  lowered: readonly Lowered[];
  /** How many of the first pieces are builders: stages of their own, in front of the base. */
  builders: number;
  /** What `{{base}}` means. */
  base: string;
  /** The manifest whose image that is; null if it is no manifest's. */
  parent: string | null;
  /** How its versions were chosen: those of its parent are chosen in the same way. */
  pick: PickVersion | undefined;
}
