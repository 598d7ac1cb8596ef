import { checkWorkspace } from "../catalog/check.ts";
import { findingsIn } from "../catalog/document.ts";
import type { Finding } from "../errors.ts";
import { expand } from "../plan/expand.ts";
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
    for (const planId of catalog.planIds())
      findings.push(...findingsIn(() => expand(catalog, { planId }, { today })));
  }
  const counts = Object.entries(summary)
    .map(([kind, count]) => `${count} ${count === 1 ? kind.slice(0, -1) : kind}`)
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
