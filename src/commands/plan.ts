import { join, resolve } from "node:path";
import { FactoryError } from "../errors.ts";
import { bakeFile } from "../plan/bake.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import { expand } from "../plan/expand.ts";
import { githubStrategy } from "../plan/github.ts";
import { prefixTargets } from "../plan/prefix.ts";
import type { CommandResult, Context } from "./context.ts";
import { table } from "./table.ts";
import { writeResult } from "./write-result.ts";

export interface PlanRequest {
  planId?: string;
  manifestId?: string;
}

interface PlanOptions extends PlanRequest {
  format?: "table" | "json" | "bake" | "github";
  output?: string;
}

/** The plan or the manifest that the command line names. @throws FactoryError USAGE where it names none, or both */
export async function planOf(context: Context, { planId, manifestId }: PlanRequest): Promise<Planned> {
  const catalog = await context.catalog();
  if (planId !== undefined && manifestId !== undefined) {
    throw new FactoryError("USAGE", "a plan and --manifest-id are both named", {
      fix: "name one of the two: a plan names its manifest",
    });
  }
  if (planId !== undefined) return expand(catalog, { planId });
  if (manifestId !== undefined) return expand(catalog, { manifestId });
  throw new FactoryError("USAGE", "no plan is named", {
    fix: `name one of: ${catalog.planIds().join(", ") || "(there are none)"}; or pass --manifest-id`,
  });
}

function summaryOf(planned: Planned) {
  const platforms: Record<string, number> = {};
  for (const { cell } of planned.cells) platforms[cell.platform] = (platforms[cell.platform] ?? 0) + 1;
  return {
    cells: planned.cells.length,
    platforms,
    prefixes: prefixTargets(planned.cells, null).length,
    expected_failures: planned.cells.filter(({ cell }) => cell.expect).length,
    left_out: planned.left_out,
  };
}

function tableText(planned: Planned, context: Context): string {
  const { cells, left_out } = planned;
  const rows = cells.map(({ cell }) => [
    cell.cell_id,
    Object.entries(cell.fragments)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    cell.platform,
    cell.build_key.slice("sha256:".length, "sha256:".length + 12),
    cell.expect ? `fails: ${cell.expect.reason}` : "passes",
  ]);
  const summary = summaryOf(planned);
  const platforms = Object.entries(summary.platforms).map(([platform, count]) => `${count} × ${platform}`);
  return [
    table(["CELL", "FRAGMENTS", "PLATFORM", "BUILD KEY", "EXPECTED"], rows, context.columns),
    "",
    `${cells.length} cell${cells.length === 1 ? "" : "s"} (${platforms.join(", ")}), ${summary.prefixes} shared prefixes, ${summary.expected_failures} meant to fail`,
    ...left_out.map(({ fragments, platform, what }) => {
      const versions = Object.entries(fragments).map(([name, version]) => `${name} ${version}`);
      return context.color.dim(`left out: ${[...versions, platform].filter(Boolean).join(", ")}: ${what}`);
    }),
  ].join("\n");
}

/** The bake file of a plan; the Dockerfiles that it names are written too, so that it builds as it stands. */
async function bakeText(planned: Planned, context: Context): Promise<string> {
  const { root, settings } = await context.catalog();
  const folder = (planned_: PlannedCell) =>
    `.factory/plan/${planned.plan_id ?? planned.manifest_id}/${planned_.cell.target}`;
  for (const one of planned.cells) {
    await writeResult(join(root, folder(one), "Dockerfile"), one.stitched.dockerfile);
    await writeResult(join(root, folder(one), "Dockerfile.dockerignore"), one.stitched.dockerignore);
  }
  context.say(`${planned.cells.length} Dockerfiles written below .factory/plan/; bake from ${root}`);
  const options = {
    dockerfile: (one: PlannedCell) => `${folder(one)}/Dockerfile`,
    cacheRepository: settings().cache_repository,
    output: () => ["type=docker"],
  };
  return bakeFile(planned.cells, options).text.trimEnd();
}

/** `factory plan`: the cells of a plan as a table, JSON, a bake file or the strategy of a GitHub Actions job. */
export async function plan(context: Context, options: PlanOptions): Promise<CommandResult> {
  const planned = await planOf(context, options);
  const document = {
    plan_id: planned.plan_id,
    manifest_id: planned.manifest_id,
    cells: planned.cells.map(({ cell }) => cell),
    summary: summaryOf(planned),
  };
  const format = options.format ?? (context.json ? "json" : "table");
  let text: string;
  let json: unknown = document;
  if (format === "table") text = tableText(planned, context);
  else if (format === "json") text = JSON.stringify(document, null, 2);
  else if (format === "github") text = JSON.stringify((json = githubStrategy(planned.cells)));
  else json = { bake: (text = await bakeText(planned, context)) };
  if (options.output === undefined || options.output === "-") return { text, json };
  const file = resolve(context.cwd, options.output);
  await writeResult(file, `${text}\n`);
  return { text: `${options.output}: ${planned.cells.length} cells`, json };
}
