import type { OpenCatalog } from "../catalog/open.ts";
import { FactoryError } from "../errors.ts";
import { baseText } from "../model/parent.ts";
import { loweredText } from "../stitch/choice.ts";
import type { CellRepack, Planned } from "../plan/cell.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf } from "./planning.ts";
import { table } from "../screen/table.ts";

/** The plan, or the manifest by itself, that a cell belongs to. @throws FactoryError UNKNOWN_CELL with a "did you mean" */
async function findCell(context: Context, catalog: OpenCatalog, cellId: string, locked: boolean) {
  const known: string[] = [];
  let hidden: FactoryError | undefined;
  const sources = [
    ...catalog.planIds().map((planId) => ({ planId })),
    ...catalog.imageIds().map((manifestId) => ({ manifestId })),
  ];
  for (const source of sources) {
    let planned: Planned;
    try {
      planned = await planOf(context, { ...source, locked });
    } catch (error) {
      // Another plan's findings must not keep this cell from being explained.
      if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
      hidden ??= error;
      continue;
    }
    if (planned.cells.some(({ cell }) => cell.cell_id === cellId)) return source;
    for (const { cell } of planned.cells) known.push(cell.cell_id);
  }
  // The cell may belong to the plan that cannot be planned.
  if (hidden) throw hidden;
  const { didYouMean } = await import("../catalog/suggest.ts");
  const guess = didYouMean(cellId, known);
  throw new FactoryError(
    "UNKNOWN_CELL",
    `there is no cell ${JSON.stringify(cellId)} in any plan or manifest`,
    {
      fix: guess ? `did you mean ${guess}?` : "see `factory plan`",
    },
  );
}

const DOES: Record<string, string> = {
  build: "is built, tested and recorded",
  retest: "is tested again: its image is known",
  retag: "gets its tag: its image and verdict are known",
  reuse: "is not run: a record proves it",
};

function repackLine({ with: program, action, reason, record_id, kept_back }: CellRepack): string {
  return action === "reuse"
    ? `reuse, by ${program}: ${record_id} proves it${kept_back === null ? "" : `; not published: ${kept_back}`}`
    : `repack, by ${program}${reason === null ? "" : ` (${reason})`}`;
}

/** `factory explain`: what will be done about a cell, why, and what differs from the attempt that it is compared with. */
export async function explain(
  context: Context,
  cellId: string,
  { locked = false }: { locked?: boolean },
): Promise<CommandResult> {
  const catalog = await context.catalog();
  const source = await findCell(context, catalog, cellId, locked);
  const { cells } = await planOf(context, { ...source, locked, reuse: true, cell: [cellId] });
  const cell = cells.find((one) => one.cell.cell_id === cellId)?.cell;
  if (!cell) throw new FactoryError("UNKNOWN_CELL", `there is no cell ${JSON.stringify(cellId)}`);
  const { bold, dim, yellow, green } = context.color;
  const { action, reason, changes, record_id, expect } = cell;
  const lines = [
    `${bold(cell.cell_id)} ${action === "reuse" ? green(DOES.reuse ?? "") : yellow(DOES[action] ?? "")}`,
    `  action   ${action}`,
    `  reason   ${reason ?? dim("none: nothing differs from what is proven")}`,
    `  record   ${record_id ?? dim("none")}`,
    `  plans    ${cell.plan_ids.join(", ") || dim("none: the manifest by itself")}`,
    ...(expect ? [`  expected to fail until ${expect.until}: ${expect.reason} (${expect.owner})`] : []),
    ...(cell.lowered ?? []).map((one) => `  version  ${loweredText(one)}`),
    ...(cell.repack ? [`  repack   ${repackLine(cell.repack)}`] : []),
    ...(cell.parent === undefined ? [] : [`  parent   ${cell.parent}`]),
    `  base     ${baseText(cell.base.ref)}${cell.base.digest === null ? "" : `@${cell.base.digest}`}`,
    `  recipe key   ${cell.recipe_key}`,
    `  build key    ${cell.build_key}`,
    `  verdict key  ${cell.verdict_key}`,
  ];
  if (changes.length > 0) {
    const rows = changes.map(({ input, before, after }) => [input, before ?? "-", after ?? "-"]);
    lines.push("", table(["INPUT", "BEFORE", "AFTER"], rows, context.columns));
  }
  return { text: lines.join("\n"), json: cell };
}
