import { isId } from "../catalog/names.ts";
import type { FailureCause, FailureReport, ProbeCell } from "../causes/failure-report.ts";
import { planText } from "../causes/plan-text.ts";
import type { Made, Remade } from "../causes/remade.ts";
import type { Manifest } from "../model/manifest.ts";
import { baseRef } from "../model/parent.ts";
import { combinationText } from "./combination-text.ts";

/** A cell to try, and how. */
export interface ToldProbe extends Omit<ProbeCell, "made"> {
  values: Made;
  command: string;
  /** The plan that the command needs, and where to put it; null if some plan has the cell already. */
  plan: { path: string; text: string } | null;
}

export interface ToldReport extends Omit<FailureReport, "causes"> {
  causes: (Omit<FailureCause, "probe"> & { probe: ToldProbe | null })[];
}

/** Says of each probe how it is run. A cell that no plan has gets a plan of its own. */
export function withProbePlan(
  report: FailureReport,
  { remade, manifest }: { remade: Remade; manifest: Manifest },
): ToldReport {
  const { manifest_id } = report;
  const causes = report.causes.map((cause, at) => {
    if (!cause.probe) return { ...cause, probe: null };
    const { made, ...rest } = cause.probe;
    const { cell_id, plan_id } = rest;
    const about = { ...rest, values: { ...made } };
    if (cell_id !== null) {
      const source = plan_id === null ? `--manifest-id ${manifest_id}` : `--plan ${plan_id}`;
      return {
        ...cause,
        probe: { ...about, command: `factory run ${source} --cell ${cell_id}`, plan: null },
      };
    }
    const own = `probe_${manifest_id}_${at + 1}`;
    const planId = isId(own) ? own : `probe_${at + 1}`;
    const text = planText(
      { planId, manifestId: manifest_id, summary: `Whether ${combinationText(cause.values)} is what fails` },
      [made],
      { remade, ownBase: baseRef(manifest.base) },
    );
    const plan = { path: `control_plane/plans/${planId}.yaml`, text };
    return { ...cause, probe: { ...about, command: `factory run --plan ${planId}`, plan } };
  });
  return { ...report, causes };
}
