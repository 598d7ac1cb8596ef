import type { Scheme } from "../catalog/schemes/scheme.ts";
import { errorOf, type Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import {
  type Coverage,
  type Expected,
  type LeftOut,
  type Planned,
  type PlannedCell,
  withCell,
} from "./cell.ts";
import { sortCells } from "./order.ts";

function sameExpectation(a: Expected | null, b: Expected | null): boolean {
  return (a?.result ?? "pass") === (b?.result ?? "pass");
}

/** Merges a cell that two plans ask for. The stricter `max_age` and the earlier `until` count. */
function together(a: PlannedCell, b: PlannedCell): PlannedCell {
  const plan_ids = [...new Set([...a.cell.plan_ids, ...b.cell.plan_ids])].sort(compareText);
  const ages = [a.maxAge, b.maxAge].filter((age) => age !== null);
  const expect =
    a.cell.expect && b.cell.expect && b.cell.expect.until < a.cell.expect.until
      ? b.cell.expect
      : a.cell.expect;
  return withCell(a, { plan_ids, expect }, ages.length === 0 ? null : Math.min(...ages));
}

function clash(a: PlannedCell, b: PlannedCell): Finding | undefined {
  const { cell_id } = a.cell;
  const plans = `${a.cell.plan_ids.join(", ")} and ${b.cell.plan_ids.join(", ")}`;
  if (a.keys.verdict_key !== b.keys.verdict_key) {
    return {
      code: "CELL_DUPLICATE",
      what: `the cell \`${cell_id}\` differs between the plans ${plans}`,
      fix: "make what differs an axis of both plans, if need be of one value: ids do not name what is `fixed`",
    };
  }
  if (!sameExpectation(a.cell.expect, b.cell.expect)) {
    return {
      code: "CELL_DUPLICATE",
      what: `the cell \`${cell_id}\` is meant to fail in one of the plans ${plans} and to pass in the other`,
      fix: "declare it in both plans or in neither",
    };
  }
  return undefined;
}

/**
 * Several plans as one graph: a cell that several of them ask for is in it once, with all their names.
 * @throws FactoryError CELL_DUPLICATE if two plans mean different cells by one id, or expect different verdicts of one
 */
export function mergePlans(plans: readonly Planned[], schemeOf: (fragment: string) => Scheme): Planned {
  const [only, ...more] = plans;
  if (only && more.length === 0) return only;
  const cells = new Map<string, PlannedCell>();
  const findings: Finding[] = [];
  const left_out = new Map<string, LeftOut>();
  const coverage: Record<string, Coverage> = {};
  for (const plan of plans) {
    for (const one of plan.cells) {
      const before = cells.get(one.cell.cell_id);
      if (!before) {
        cells.set(one.cell.cell_id, one);
        continue;
      }
      const finding = clash(before, one);
      if (finding) findings.push(finding);
      else cells.set(one.cell.cell_id, together(before, one));
    }
    for (const one of plan.left_out) left_out.set(JSON.stringify(one), one);
    Object.assign(coverage, plan.coverage);
  }
  if (findings.length > 0) throw errorOf(findings);
  const manifests = new Set(plans.map(({ manifest_id }) => manifest_id));
  return {
    plan_id: null,
    plan_ids: plans.flatMap(({ plan_ids }) => plan_ids).sort(compareText),
    manifest_id: manifests.size === 1 ? ([...manifests][0] ?? null) : null,
    cells: sortCells([...cells.values()], schemeOf),
    left_out: [...left_out.values()],
    coverage,
  };
}
