import { join } from "node:path";
import { findingsOf, readDocument } from "../catalog/document.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import { readText } from "../catalog/read.ts";
import type { FailureCause } from "../causes/failure-report.ts";
import type { OfferedCell } from "../causes/failures.ts";
import { selectorOf, withExclusion } from "../causes/rules.ts";
import { writeWhole } from "../files/write-whole.ts";
import { expand } from "../plan/expand.ts";
import type { Given } from "../plan/space.ts";
import type { CellSelector } from "../schemas/types.ts";
import { combinationText } from "./combination-text.ts";
import { hasCause, valuesOfCell } from "./cell-values.ts";

/** A rule that a plan got. */
export interface AppliedRule {
  file: string;
  plan_id: string;
  exclude: CellSelector;
}

/** A cause that some plan got no rule for, and why. */
export interface SkippedRule {
  cause: string;
  plan_id: string | null;
  what: string;
}

export interface AppliedRules {
  applied: AppliedRule[];
  skipped: SkippedRule[];
}

/** Why a plan with another text is not one that has no cell with the cause, and all others; null if it is. */
function faultOf(
  catalog: OpenCatalog,
  {
    planId,
    file,
    text,
    values,
  }: { planId: string; file: string; text: string; values: FailureCause["values"] },
  given: Given,
): string | null {
  const { entry, findings } = readDocument("plan", text, file, { plan_id: planId });
  if (!entry) return findings[0]?.what ?? "it would have findings";
  const changed = { ...catalog, plan: (id: string) => (id === planId ? entry : catalog.plan(id)) };
  try {
    const before = expand(catalog, { planId }, given).cells;
    const after = expand(changed, { planId }, given).cells;
    if (after.some((one) => hasCause(valuesOfCell(one), values))) return "it would still have cells with it";
    const { strategy = "all" } = entry.document;
    const ids = new Set(after.map(({ cell }) => cell.cell_id));
    // A strategy that chooses may choose others.
    const lost = before.find((one) => !ids.has(one.cell.cell_id) && !hasCause(valuesOfCell(one), values));
    return strategy === "all" && lost ? `${lost.cell.cell_id} would be left out too` : null;
  } catch (error) {
    return findingsOf(error)[0]?.what ?? "it could not be planned";
  }
}

/**
 * Excludes causes from the plans that have cells with them: those that are certain and that nobody expects. Each plan is written
 * whole, and only with rules under which it is sound and has exactly the other cells.
 * @throws FactoryError WRITE_FAILED, FILE_*
 */
export function applyRules(
  catalog: OpenCatalog,
  causes: readonly FailureCause[],
  { offered, given }: { offered: readonly OfferedCell[]; given: Given },
): AppliedRules {
  const applied: AppliedRule[] = [];
  const skipped: SkippedRule[] = [];
  const wanted: {
    cause: string;
    values: FailureCause["values"];
    selector: CellSelector;
    plans: Set<string>;
  }[] = [];
  for (const { values, certain, expected, planned } of causes) {
    const cause = combinationText(values);
    const skip = (what: string) => void skipped.push({ cause, plan_id: null, what });
    if (expected || !planned) continue;
    const selector = selectorOf(values);
    if (typeof selector === "string") skip(selector);
    else if (!certain) skip("the records leave other explanations: try what is named first");
    else {
      const plans = offered.flatMap((one) => (hasCause(one.values, values) ? [one.plan_id] : []));
      if (plans.includes(null)) skip("the manifest has no plan: write one, or `conflicts` of a fragment");
      wanted.push({ cause, values, selector, plans: new Set(plans.filter((id) => id !== null)) });
    }
  }
  const made: { file: string; read: string; text: string; rules: AppliedRule[]; causes: string[] }[] = [];
  for (const planId of new Set(wanted.flatMap(({ plans }) => [...plans]))) {
    const { file } = catalog.plan(planId);
    const read = readText(catalog.root, file);
    let text = read;
    const rules: AppliedRule[] = [];
    const causes: string[] = [];
    for (const { cause, values, selector, plans } of wanted) {
      if (!plans.has(planId)) continue;
      const next = withExclusion(text, selector);
      const fault =
        next === null
          ? "it is written in a way that no rule can be added to"
          : faultOf(catalog, { planId, file, text: next, values }, given);
      if (next === null || fault !== null) {
        skipped.push({ cause, plan_id: planId, what: fault ?? "" });
        continue;
      }
      text = next;
      rules.push({ file, plan_id: planId, exclude: selector });
      causes.push(cause);
    }
    if (rules.length > 0) made.push({ file, read, text, rules, causes });
  }
  for (const { file, read, text, rules, causes } of made) {
    // Somebody may have edited it meanwhile.
    if (readText(catalog.root, file) !== read) {
      for (const [at, { plan_id }] of rules.entries())
        skipped.push({ cause: causes[at] ?? "", plan_id, what: "it was changed meanwhile" });
      continue;
    }
    writeWhole(join(catalog.root, file), text);
    applied.push(...rules);
  }
  return { applied, skipped };
}
