import { availableParallelism } from "node:os";
import { relative, sep } from "node:path";
import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError } from "../errors.ts";
import { type CellResult, runCells, type RunOutcome, selectCells } from "../run/run.ts";
import { version } from "../version.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf } from "./plan.ts";

/** Cells at once: most of a cell's time is spent waiting for the engine, which shares the work of cells. */
const DEFAULT_JOBS = Math.min(16, Math.max(4, 4 * availableParallelism()));

interface RunOptions {
  manifestId?: string;
  plan?: string;
  cell?: string[];
  platform?: string;
  jobs?: number;
  push?: boolean;
  force?: boolean;
  sbomWith?: "factory" | "syft";
}

function resultText({ results, summary, left_out, interrupted }: RunOutcome, context: Context): string {
  const { green, red, yellow, dim } = context.color;
  const mark = ({ status, expected }: CellResult) =>
    expected
      ? status === "pass"
        ? green("pass")
        : yellow(`${status} (expected)`)
      : red(status === "pass" ? "pass (unexpected)" : status);
  const lines = results.flatMap((result) => [
    `${mark(result)} ${result.cell_id}`,
    ...(result.image ? [`  image   ${result.image.ref}`, `          ${result.image.digest}`] : []),
    `  record  ${result.record}`,
    ...result.notes.map((note) => `  ${result.status === "pass" ? dim(note) : note}`),
  ]);
  const counts = `${summary.pass} passed, ${summary.fail} failed, ${summary.error} errors`;
  const surprises = summary.unexpected === 0 ? "" : `, ${summary.unexpected} not as expected`;
  const rest = [
    left_out.length > 0 ? `${left_out.length} left out` : "",
    interrupted ? "interrupted" : "",
  ].filter(Boolean);
  return [...lines, "", [`${counts}${surprises}`, ...rest].join("; ")].join("\n");
}

/** `factory run`: stitch, build, smoke, SBOM and record for each cell. */
export async function run(context: Context, options: RunOptions): Promise<CommandResult> {
  if (options.plan === undefined && options.manifestId === undefined) {
    throw new FactoryError("USAGE", "nothing to run is named", {
      fix: "pass --manifest-id ID or --plan PLAN_ID",
    });
  }
  const catalog = await context.catalog();
  const all = await planOf(context, { planId: options.plan, manifestId: options.manifestId });
  const planned = selectCells(all, options.cell ?? [], didYouMean);
  const world = await context.world();

  const sbomWith = options.sbomWith ?? "factory";
  await world.requireSbomTool(sbomWith);
  const view = await world.view({ quiet: context.quiet, color: context.stderrColor });
  let outcome: RunOutcome;
  try {
    outcome = await runCells(
      {
        planned,
        root: catalog.root,
        relative: (path) => relative(catalog.root, path).split(sep).join("/"),
        cacheRepository: catalog.settings().cache_repository,
        push: options.push ?? false,
        platform: options.platform,
        jobs: options.jobs ?? DEFAULT_JOBS,
        versions: { factory: version, node: process.versions.node },
        signal: context.signal,
      },
      {
        ...world.runDeps(catalog, { sbomWith }),
        onState: view.update,
        onFinish: view.finish,
        onNote: view.note,
      },
    );
  } finally {
    view.close();
  }
  const { results, summary, left_out, interrupted } = outcome;
  return {
    text: resultText(outcome, context),
    json: { results, summary, left_out },
    exitCode: interrupted ? 130 : summary.unexpected > 0 ? 1 : 0,
  };
}
