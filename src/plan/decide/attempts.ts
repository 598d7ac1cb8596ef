import type { ReadImage } from "../../model/inputs.ts";
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
  /** Where it ended; `done` for a pass. */
  stage: string;
  /** Class of the failure; null for a pass. */
  class: string | null;
  /** ISO 8601. */
  tested_at: string;
  duration_ms: number;
  /** The image's digest; null where the build gave none. */
  digest: string | null;
  /** The image's tag; null where the build gave no image. */
  ref: string | null;
  pushed: boolean;
  /** Whether its record can prove anything: one of the old form cannot. */
  proves: boolean;
}

/** What a record says went into it: what a reason is found by. */
export type Inputs = Readonly<
  Pick<
    FactoryRecord,
    "template" | "args" | "base" | "platform" | "test_suite_hash" | "build_key" | "verdict_key"
  >
> & {
  readonly fragments: readonly Readonly<FactoryRecord["fragments"][number]>[];
  /** Left out by records of older times. */
  readonly images?: readonly ReadImage[];
};

/**
 * What the planner asks of the records. Lists are newest first, by record id: by the time that an attempt started.
 * A list only proposes: whoever relies on an attempt asks for its `problems`.
 */
export interface Attempts {
  /** @param key `sha256:` and 64 hex digits */
  withVerdictKey(key: string): readonly Attempt[];
  /** @param key `sha256:` and 64 hex digits */
  withBuildKey(key: string): readonly Attempt[];
  ofCell(manifestId: string, cellId: string): readonly Attempt[];
  ofManifest(manifestId: string): Iterable<Attempt>;
  /** Reads the record itself. @throws FactoryError RECORD_UNREADABLE */
  read(attempt: Attempt): Promise<FactoryRecord | FactoryRecord1>;
  /**
   * Reads the record itself and all its evidence: what is not as the record says, what it claims without proof, or what the
   * index says otherwise than the record. Empty where all holds.
   */
  problems(attempt: Attempt): Promise<string[]>;
  /**
   * What is gone that may tell of a later verdict on the same key than an attempt's: a record, or a ledger of records; null
   * where nothing is.
   */
  lost(attempt: Attempt): string | null;
  /** What an attempt's record is called for people. */
  nameOf(attempt: Attempt): string;
}
