import type { Value } from "../schemas/types.ts";
import type { HeldPackage, PackageTest } from "./packages/package-test.ts";
import type { RecordProblem } from "./problem.ts";

/** One version that a record's fragment has to have. */
export interface FragmentTest {
  name: string;
  test: (version: string) => boolean;
}

/** Which records are meant. All that is said has to hold. */
export interface RecordFilter {
  /** Default: of all manifests. */
  manifestId?: string;
  cellId?: string;
  platform?: string;
  status?: string;
  /** Class of the failure. */
  class?: string;
  /** The beginning of the image's digest, or of its manifest's: `sha256:` and at least some hex digits. */
  digest?: string;
  fragments?: readonly FragmentTest[];
  /** Packages that the image has to hold, by its SBOM. */
  packages?: readonly PackageTest[];
  /** Milliseconds since 1970: only records that started then or later. */
  since?: number;
  /** Only records that started then or earlier. */
  until?: number;
}

/** Fields by which records are grouped and sorted; `fragment:NAME` is the version of a fragment. */
export const FIELDS = [
  "manifest",
  "cell",
  "platform",
  "status",
  "stage",
  "class",
  "template",
  "base",
  "tag",
  "digest",
  "duration",
  "size",
  "time",
] as const;

export type Field = (typeof FIELDS)[number] | `fragment:${string}`;

/** The fragment whose version a field is; undefined for all others. */
export function fragmentOf(field: string): string | undefined {
  return /^fragment:(.*)$/s.exec(field)?.[1];
}

/** What a list shows about a record. */
export interface RecordSummary {
  record_id: string;
  manifest_id: string;
  cell_id: string;
  platform: string;
  status: "pass" | "fail" | "error";
  expected: boolean;
  stage: string;
  class: string | null;
  tested_at: string;
  duration_ms: number;
  digest: string | null;
  manifest_digest: string | null;
  /** The tag that the image got. */
  ref: string | null;
  /** Bytes of the image. */
  size: number | null;
  /** `id@version`. */
  template: string;
  base: string;
  /** Versions by name, in the order of the record. */
  fragments: Record<string, string>;
  args: Readonly<Record<string, Value>>;
  /** Those that were asked for; missing if none were. */
  packages?: readonly HeldPackage[];
}

/** Records that have some values in common. */
export interface RecordGroup {
  /** The values, by field. */
  by: Record<string, string | number | null>;
  total: number;
  pass: number;
  fail: number;
  error: number;
  /** How many of them had another status than was declared. */
  unexpected: number;
  /** The id of the newest. */
  newest: string;
}

export interface ListRequest extends RecordFilter {
  /** Default: newest first. `compare` is for texts; by default they are compared by code unit. */
  sort?: { by: Field; reverse: boolean; compare?: (a: string, b: string) => number };
  /** Groups in place of records. */
  groupBy?: readonly Field[];
  /** How many are left out before the first. */
  offset?: number;
  limit?: number;
}

export interface RecordList {
  records: RecordSummary[];
  /** null unless groups were asked for. */
  groups: RecordGroup[] | null;
  /** How many records, or groups, there are in all. */
  total: number;
  /** Files that are not records: they are reported, never hidden. */
  unreadable: RecordProblem[];
  /** How many records may hold what was asked for, since their SBOM cannot be read or their versions have no order; by reason. */
  doubts: Record<string, number>;
}
