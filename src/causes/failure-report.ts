import type { CauseValues } from "./boxes.ts";
import type { Beginning } from "./beginning.ts";
import type { Made } from "./remade.ts";
import type { SuggestedRules } from "./rules.ts";
import type { Flaky, LeftOut } from "./verdicts.ts";

export interface ProbeCell {
  /** What it is made of, whether or not a plan has it. */
  made: Made;
  /** The planned cell that it is; null if no plan has it. */
  cell_id: string | null;
  plan_id: string | null;
  /** How many of the possible causes are left if it fails, and if it passes. */
  left_if_fails: number;
  left_if_passes: number;
}

/** A combination of values that explains failures. */
export interface FailureCause {
  values: CauseValues;
  /** Ids of the failing records that have it, newest first. */
  records: string[];
  /** Whether plans declared all of them. */
  expected: boolean;
  /** Whether some plan still has a cell with it. */
  planned: boolean;
  /** Whether the records leave no other explanation. */
  certain: boolean;
  /** How many combinations could be the cause, with this one; and the smallest of the others. */
  possible: number;
  alternatives: Record<string, string | null>[];
  /** For each factor, the newest passing record that has all else of it. */
  passes_without: { factor: string; value: string | null; record_id: string }[];
  /** How the failures show themselves, the most frequent first. */
  signatures: { signature: string; failures: number }[];
  began: Beginning | null;
  /** null if no rule can say it. */
  rules: SuggestedRules | null;
  /** null if it is certain, or nothing that could be tried tells more. */
  probe: ProbeCell | null;
}

/** Failures that show themselves in the same way. */
export interface FailureGroup {
  signature: string;
  /** Failing records, newest first. */
  records: string[];
  /** Indexes of the causes that explain them. */
  causes: number[];
}

export interface FailureReport {
  manifest_id: string;
  /** Combinations with a verdict. */
  passing: number;
  failing: number;
  causes: FailureCause[];
  groups: FailureGroup[];
  /** Whether there is no smaller explanation; with very many values that is not known. */
  smallest: boolean;
  flaky: Flaky[];
  left_out: LeftOut;
}
