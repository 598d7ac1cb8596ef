import { sha256Hex } from "../model/digest.ts";
import { platformSlug } from "../model/platform.ts";
import type { Stitched } from "../stitch/stitch.ts";

/** One fully resolved combination on one platform. */
export interface Cell {
  /** `<manifest>.<fragment>-<version>….<platform>`: what the plan chose, not what ranges resolved to. */
  cell_id: string;
  manifest_id: string;
  platform: string;
  /** Version by fragment name, in the order of the Dockerfile. */
  fragments: Record<string, string>;
  base: { ref: string; digest: string | null };
  args: Record<string, string | number | boolean>;
  build_key: string;
  verdict_key: string;
  /** Name of its bake target. */
  target: string;
  tags: string[];
  cache_from: string[];
  cache_to: string[];
  action: "build";
  /** Why it is built. Records are not looked up yet, so nothing is known to be reusable. */
  reason: "UNCHECKED";
  /** What the plan declares about its verdict; null where it should pass. */
  expect: { result: "fail"; reason: string } | null;
}

/** A cell with what is needed to build it. */
export interface PlannedCell {
  cell: Cell;
  stitched: Stitched;
  /** The same cell once the builder has told the digest of its base: its Dockerfile and its keys name it. */
  pin: (baseDigest: string) => PlannedCell;
}

/** A combination that the fragments' own contracts rule out. */
export interface LeftOut {
  fragments: Record<string, string>;
  platform: string | null;
  what: string;
}

/** What a plan, or a manifest alone, comes to. Cells are sorted by their versions in Dockerfile order, then platform. */
export interface Planned {
  plan_id: string | null;
  manifest_id: string;
  cells: PlannedCell[];
  left_out: LeftOut[];
}

const MAX_ID = 100;

/** A version whose pre-release or build part reads like the next fragment and its version. */
const READS_AS_MORE = /[-+].*\.[a-z][^.]*-\d/i;

/**
 * The id of a cell: the manifest, each chosen fragment with its version, the platform, joined by `.`, which is no part
 * of a name. Made of `[a-z0-9._-]`. Where it would be longer than 100 characters, lose a difference or read as another
 * cell's, it is cut and ends in `_h` and 8 hex digits of its sha256.
 */
export function cellId(
  manifestId: string,
  chosen: readonly (readonly [string, string])[],
  platform: string,
): string {
  const parts = [
    manifestId,
    ...chosen.map(([name, version]) => `${name}-${version}`),
    platformSlug(platform),
  ];
  const whole = parts.join(".");
  const id = whole.toLowerCase().replace(/[^a-z0-9._-]/g, "-");
  const ambiguous = chosen.some(([, version]) => READS_AS_MORE.test(version));
  if (id === whole && id.length <= MAX_ID && !ambiguous) return id;
  return `${id.slice(0, MAX_ID - 10)}_h${sha256Hex(parts.join("\n")).slice(0, 8)}`;
}

/** A name for bake, where dots are not allowed. */
export function targetName(id: string): string {
  return id.replaceAll(".", "_");
}

/** A tag: 128 characters of `[A-Za-z0-9_.-]`, not starting with `.` or `-`. A longer one is cut and ends in a hash. */
export function tagOf(text: string): string {
  const tag = text.replace(/[^A-Za-z0-9_.-]/g, "-").replace(/^[.-]+/, "");
  return tag.length <= 128 ? tag : `${tag.slice(0, 118)}_h${sha256Hex(text).slice(0, 8)}`;
}
