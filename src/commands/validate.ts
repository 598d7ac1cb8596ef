import { checkWorkspace } from "../catalog/check.ts";
import { findingsIn } from "../catalog/document.ts";
import type { Finding } from "../errors.ts";
import type { Cell } from "../plan/cell.ts";
import { askedLayers, type AskedCell } from "../plan/asked-layers.ts";
import { expand } from "../plan/expand.ts";
import type { PlanRequest } from "../plan/space.ts";
import { publishedOf, tagFindings } from "../publish/published-tags.ts";
import { exceptionFindings } from "../scan/exception-rules.ts";
import { findingText } from "../screen/findings.ts";
import { fragmentFindings, templateFindings } from "../stitch/every-version.ts";
import { sourceOf } from "../stitch/secret-sources.ts";
import { stitch } from "../stitch/stitch.ts";
import type { CommandResult, Context } from "./context.ts";

/**
 * `factory validate`: every finding of the workspace at once, including those from rendering each manifest, each plan and
 * every version of every fragment and template, used or not.
 */
export async function validate(context: Context): Promise<CommandResult> {
  const catalog = await context.catalog();
  const { findings, summary } = checkWorkspace(catalog, {
    manifest: (id) => {
      const findings: Finding[] = [];
      const own = findingsIn(() => {
        for (const need of stitch(catalog, id).secrets)
          findings.push(...findingsIn(() => sourceOf(need, catalog.secrets())));
      });
      return [...own, ...findings];
    },
    fragment: (entry) => fragmentFindings(catalog, entry),
    template: templateFindings,
  });
  // A plan can only be expanded if the documents that it builds on are sound.
  if (findings.length === 0) {
    const today = new Date(context.now()).toISOString().slice(0, 10);
    const products = catalog.productIds().map((id) => catalog.product(id));
    /** The cells of manifests that are published. */
    const cells = new Map(products.map(({ document }) => [document.manifest_id, [] as Cell[]]));
    const planned = new Set<string>();
    const all = new Map<string, AskedCell>();
    const add = (manifestId: string, request: PlanRequest) =>
      findingsIn(() => {
        const { cells: own } = expand(catalog, request, { today });
        for (const { cell } of own) {
          const { cell_id, manifest_id, expect, plan_ids } = cell;
          const known = all.get(cell_id)?.plan_ids ?? [];
          all.set(cell_id, { cell_id, manifest_id, expect, plan_ids: [...known, ...plan_ids] });
        }
        planned.add(manifestId);
        const known = cells.get(manifestId);
        for (const { cell } of known ? own : []) known?.push(cell);
      });
    for (const planId of catalog.planIds())
      findings.push(...add(catalog.plan(planId).document.manifest_id, { planId }));
    if (findings.length === 0)
      for (const manifestId of cells.keys())
        if (!planned.has(manifestId)) findings.push(...add(manifestId, { manifestId }));
    if (findings.length === 0) findings.push(...findingsIn(() => askedLayers(catalog, [...all.values()])));
    if (findings.length === 0) findings.push(...tagFindings(catalog, publishedOf(catalog, products, cells)));
  }
  for (const id of summary.policies > 0 ? catalog.policyIds() : []) {
    const { entry } = catalog.loadFile("policy", id);
    if (entry) findings.push(...exceptionFindings(entry, context.now()));
  }
  const counts = Object.entries(summary)
    .map(([kind, count]) => `${count} ${count === 1 ? kind.replace(/ies$/, "y").replace(/s$/, "") : kind}`)
    .join(", ");
  const verdict =
    findings.length === 0
      ? context.color.green("valid")
      : `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  return {
    text: [...findings.map((finding) => findingText(finding, context.color)), `${verdict}: ${counts}`].join(
      "\n",
    ),
    json: { findings, summary },
    exitCode: findings.length === 0 ? 0 : 2,
  };
}
