import type { Parent, ReadImage, ReadSource } from "../../model/inputs.ts";
import type { FactoryRecord, FactoryRecord1 } from "../../schemas/types.ts";

/** One attempt at one cell, as far as deciding needs it. */
export interface Attempt {
  record_id: string;
  manifest_id: string;
  cell_id: string;
  platform: string;
  build_key: string;
  verdict_key: string;
  status: "pass" | "fail" | "error";
  /** The stage that it ended in; `done` for a pass. */
  stage: string;
  /** Class of the failure; null for a pass. */
  class: string | null;
  /** ISO 8601. */
  tested_at: string;
  duration_ms: number;
  /** The image's digest; null if the build gave no image. */
  digest: string | null;
  /** The image's tag; null if the build gave no image. */
  ref: string | null;
  pushed: boolean;
  /** Whether its record can prove anything of a cell, which one of the old form, or of an image in other layers, cannot. */
  proves: boolean;
}

/** What a record says went into it. Reasons are found by comparing this. */
export type Inputs = Readonly<
  Pick<
    FactoryRecord,
    "template" | "args" | "base" | "platform" | "test_suite_hash" | "build_key" | "verdict_key"
  >
> & {
  readonly fragments: readonly Readonly<FactoryRecord["fragments"][number]>[];
  /** Missing in older records. */
  readonly images?: readonly ReadImage[];
  /** Missing if there is none. */
  readonly sources?: readonly ReadSource[];
  /** Missing for a cell that starts from no manifest's image. */
  readonly parent?: Parent;
};

/**
 * What the planner asks of the records. Lists are newest first, by record id: by the time that an attempt started.
 * A list only proposes: to rely on an attempt, ask for its `problems`.
 */
export interface Attempts {
  /** @param key `sha256:` and 64 hex digits */
  withVerdictKey(key: string): readonly Attempt[];
  /** @param key `sha256:` and 64 hex digits */
  withBuildKey(key: string): readonly Attempt[];
  ofCell(manifestId: string, cellId: string): readonly Attempt[];
  /** Attempts with a build key whose images have its files in other layers: they prove nothing of the cell. */
  inOtherLayers(key: string): readonly Attempt[];
  ofManifest(manifestId: string): Iterable<Attempt>;
  /** Reads the record itself. @throws FactoryError RECORD_UNREADABLE */
  read(attempt: Attempt): Promise<FactoryRecord | FactoryRecord1>;
  /**
   * Reads the record itself and all its evidence. Gives what differs from the record, what it claims without proof, and
   * where the index differs from it; empty if everything is right.
   */
  problems(attempt: Attempt): Promise<string[]>;
  /**
   * A missing record or ledger that may have held a later verdict on the same key than this attempt; null if there is none.
   */
  lost(attempt: Attempt): string | null;
  /** When evidence of an attempt was deleted on purpose, so that its record proves nothing: ISO 8601; null if none was. */
  pruned(attempt: Attempt): string | null;
  /** The name of an attempt's record, for people. */
  nameOf(attempt: Attempt): string;
}
