import { checkWorkspace } from "../catalog/check.ts";
import { FactoryError, type Finding } from "../errors.ts";
import { expand } from "../plan/expand.ts";
import { findingText } from "../screen/findings.ts";
import { stitch } from "../stitch/stitch.ts";
import type { CommandResult, Context } from "./context.ts";

/** `factory validate`: every finding of the workspace at once, among them those of rendering each manifest and plan. */
export async function validate(context: Context): Promise<CommandResult> {
  const catalog = await context.catalog();
  const findingsOf = (work: () => unknown): Finding[] => {
    try {
      work();
      return [];
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      return (
        error.findings ?? [{ code: error.code, what: error.message, where: error.where, fix: error.fix }]
      );
    }
  };
  const { findings, summary } = checkWorkspace(catalog, (id) => findingsOf(() => stitch(catalog, id)));
  // A plan can only be expanded once the documents below it are sound.
  if (findings.length === 0) {
    const today = new Date(context.now()).toISOString().slice(0, 10);
    for (const planId of catalog.planIds())
      findings.push(...findingsOf(() => expand(catalog, { planId }, { today })));
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
