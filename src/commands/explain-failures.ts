import type { OpenCatalog } from "../catalog/open.ts";
import { valueOrder } from "../catalog/schemes/value-order.ts";
import { failureReport, type OfferedCell } from "../causes/failures.ts";
import { type Made, type Remade, remadeFrom } from "../causes/remade.ts";
import { verdictsOf } from "../causes/verdicts.ts";
import { FactoryError } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { expand } from "../plan/expand.ts";
import { requestsOf } from "../plan/requests.ts";
import type { Given } from "../plan/space.ts";
import { type AppliedRules, applyRules } from "./apply-rules.ts";
import { madeOf, valuesOfCell } from "./cell-values.ts";
import type { CommandResult, Context } from "./context.ts";
import { failureLines } from "./failure-text.ts";
import { givenOf } from "./given.ts";
import { withProbePlan } from "./probe-plan.ts";

interface Explained {
  failures: string;
  apply?: boolean;
  locked?: boolean;
}

/** The cells of every plan over a manifest. A plan that cannot be expanded is named, and left out. */
function offeredCells(
  context: Context,
  catalog: OpenCatalog,
  manifestId: string,
  given: Given,
): OfferedCell[] {
  const found: OfferedCell[] = [];
  for (const request of requestsOf(catalog, { all: true, filter: [`manifest=${manifestId}`] })) {
    try {
      for (const planned of expand(catalog, request, given).cells)
        found.push({
          cell_id: planned.cell.cell_id,
          plan_id: "planId" in request ? request.planId : null,
          values: valuesOfCell(planned),
          made: madeOf(planned),
        });
    } catch (error) {
      if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
      const name = "planId" in request ? request.planId : request.manifestId;
      context.say(
        `warning: ${name} cannot be planned, so none of its cells is looked at: ${visible(error.message)}`,
      );
    }
  }
  return found;
}

/** What is known of a manifest's combinations, by the rules of reuse. @throws FactoryError UNKNOWN_MANIFEST, LOCK_* */
async function knownOf(context: Context, manifestId: string, locked: boolean) {
  const catalog = await context.catalog();
  // An unknown manifest is one more than a manifest without records.
  const { document } = catalog.manifest(manifestId);
  const given = givenOf(context, catalog, { manifestId, locked });
  const remade = remadeFrom(catalog, manifestId, given);
  const world = await context.world();
  const attempts = await world.attempts(catalog.root, [manifestId], { note: context.say, strict: false });
  const { records } = await openStore(catalog.root).list({ manifestId });
  const known = await verdictsOf(manifestId, { attempts, summaries: records, isCurrent: remade.isCurrent });
  for (const { record, what } of known.problems) context.say(`warning: ${record}: ${visible(what)}`);
  return { catalog, manifest: document, given, remade, attempts, known };
}

/** A combination as it is made today. */
function madeAs(remade: Remade) {
  return (made: Made) => {
    const planned = remade.cellOf(made);
    return planned ? { made: madeOf(planned), values: valuesOfCell(planned) } : null;
  };
}

function appliedLines({ applied, skipped }: AppliedRules): string[] {
  if (applied.length + skipped.length === 0)
    return ["nothing to exclude: every cause is expected, or in no plan"];
  return [
    ...applied.map(({ file, exclude }) => `written to ${file}: exclude ${visible(JSON.stringify(exclude))}`),
    ...skipped.map(
      ({ cause, plan_id, what }) =>
        `not excluded${plan_id === null ? "" : ` from ${plan_id}`}: ${cause}: ${visible(what)}`,
    ),
  ];
}

/** `factory explain --failures`: the smallest combinations that explain why cells of a manifest fail. */
export async function explainFailures(
  context: Context,
  { failures: manifestId, apply = false, locked = false }: Explained,
): Promise<CommandResult> {
  const { catalog, manifest, given, remade, attempts, known } = await knownOf(context, manifestId, locked);
  const offered = offeredCells(context, catalog, manifestId, given);
  const report = await failureReport(manifestId, known, {
    attempts,
    offered,
    madeAs: madeAs(remade),
    compare: valueOrder(catalog.fragmentScheme),
  });
  const told = withProbePlan(report, { remade, manifest });
  const total = report.passing + report.failing;
  if (total > 0 && !report.smallest)
    context.say(
      `note: there are too many values among ${grouped(total)} combinations to be sure of the smallest`,
    );
  const lines = failureLines(told, context);
  if (!apply) return { text: lines.join("\n"), json: told };
  const rules = applyRules(catalog, report.causes, { offered, given });
  return {
    text: [...lines, "", ...appliedLines(rules)].join("\n"),
    json: { ...told, ...rules },
    exitCode: rules.skipped.length > 0 ? 1 : 0,
  };
}
