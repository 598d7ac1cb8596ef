import { availableParallelism } from "node:os";
import { relative, resolve, sep } from "node:path";
import { FactoryError } from "../errors.ts";
import { visible } from "../model/visible.ts";
import { type CellResult, isBroken, type RunOutcome } from "../run/outcome.ts";
import { runCells } from "../run/run.ts";
import { repackText } from "../screen/repack-text.ts";
import type { Planned } from "../plan/cell.ts";
import type { Buildx } from "../tools/buildx.ts";
import { version } from "../version.ts";
import type { CommandResult, Context } from "./context.ts";
import { sendRecords } from "./send-records.ts";
import { planOf, type PlanningOptions, splitDeps } from "./planning.ts";

/** Cells at once: a cell mostly waits for the engine, which shares work between cells. */
const DEFAULT_JOBS = Math.min(16, Math.max(4, 4 * availableParallelism()));

interface RunOptions extends PlanningOptions {
  plan?: string;
  shard?: string;
  platform?: string;
  jobs?: number;
  push?: boolean;
  sbomWith?: "factory" | "syft";
  /** Where the events of the run go. */
  events?: string;
}

/** What became of a cell's other layers. */
function repackLines({ repack }: CellResult, { color: { red, yellow, dim } }: Context): string[] {
  if (!repack) return [];
  const { image, record, status } = repack;
  const paint = isBroken(repack) ? red : status === "left-out" ? yellow : dim;
  return [
    `  repack  ${paint(visible(repackText(repack)))}`,
    ...(image ? [`          ${image.ref}`, `          ${image.digest}`] : []),
    ...(record === null ? [] : [`          ${record}`]),
  ];
}

/** How many of the images in other layers that were asked for are there. */
function repackCounts({ repacks }: RunOutcome["summary"]): string[] {
  if (!repacks) return [];
  const { pass, reused, failed, left_out } = repacks;
  const parts = [
    [pass, "made"],
    [reused, "reused"],
    [failed, "not made"],
    [left_out, "left out"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [`repacked images: ${told.join(", ")}`];
}

function resultText({ results, summary, left_out, interrupted }: RunOutcome, context: Context): string {
  const { green, red, yellow, dim } = context.color;
  const mark = ({ status, expected }: CellResult) =>
    expected
      ? status === "pass" || status === "reused"
        ? green(status)
        : yellow(`${status} (expected)`)
      : red(status === "pass" ? "pass (unexpected)" : status);
  const lines = results.flatMap((result) => [
    `${mark(result)} ${result.cell_id}`,
    ...(result.image ? [`  image   ${result.image.ref}`, `          ${result.image.digest}`] : []),
    `  record  ${result.record}`,
    ...repackLines(result, context),
    ...result.notes.map((note) => `  ${result.status === "pass" ? dim(note) : note}`),
  ]);
  const reused = summary.reused === 0 ? "" : `, ${summary.reused} reused`;
  const counts = `${summary.pass} passed, ${summary.fail} failed, ${summary.error} errors${reused}`;
  const surprises = summary.unexpected === 0 ? "" : `, ${summary.unexpected} not as expected`;
  const rest = [
    ...repackCounts(summary),
    left_out.length > 0 ? `${left_out.length} left out` : "",
    interrupted ? "interrupted" : "",
  ].filter(Boolean);
  return [...lines, "", [`${counts}${surprises}`, ...rest].join("; ")].join("\n");
}

/**
 * The cells to run. All cells are split into shards before the records are asked, so the shard of a cell does not depend
 * on what is proven so far.
 */
async function plannedFor(context: Context, options: RunOptions): Promise<Planned> {
  const asked = { ...options, planId: options.plan, needPushed: options.push };
  if (options.shard === undefined) return planOf(context, asked);
  const { takeShard, tryShard } = await import("../plan/shards/split.ts");
  const deps = await splitDeps(context);
  if (options.reuse && options.shard.includes("@")) {
    // It may have been handed out without asking the records, which other jobs of the same run go on adding to.
    const plain = await tryShard(await planOf(context, { ...asked, reuse: false }), options.shard, deps);
    const cell = plain?.cells.map((one) => one.cell.cell_id) ?? [];
    if (cell.length > 0) return planOf(context, { ...asked, cell, chosen: true });
    if (plain) {
      context.say(`shard ${options.shard} has no cells`);
      return plain;
    }
  }
  const part = await takeShard(await planOf(context, asked), options.shard, deps);
  if (part.cells.length === 0) context.say(`shard ${options.shard} has no cells`);
  return part;
}

/** Does something while the builder is asked: its answer takes longer than reading a workspace and planning. */
async function whileAsking<T>(buildx: Buildx, { signal }: Context, work: () => Promise<T>): Promise<T> {
  const moot = new AbortController();
  buildx.ask(AbortSignal.any([signal, moot.signal]));
  try {
    return await work();
  } catch (error) {
    moot.abort();
    throw error;
  }
}

/** Ids of the records that a run wrote. */
function sentOf(results: readonly CellResult[]): string[] {
  return results.flatMap(({ status, record_id, repack }) => [
    ...(status === "reused" ? [] : [record_id]),
    ...(repack?.pushed && repack.status !== "reused" && repack.record_id !== null ? [repack.record_id] : []),
  ]);
}

/** `factory run`: stitch, build, smoke, SBOM and record for each cell. */
export async function run(context: Context, options: RunOptions): Promise<CommandResult> {
  if (options.plan === undefined && options.manifestId === undefined && !options.all) {
    throw new FactoryError("USAGE", "it is not said what to run", {
      fix: "pass --manifest-id ID, --plan PLAN_ID, or --all for every plan",
    });
  }
  if (options.events === "-") {
    throw new FactoryError("USAGE", "--events - would mix the events with the result", {
      fix: "name a file or a pipe, such as --events events.ndjson or --events >(reader)",
    });
  }
  const world = await context.world();
  const planning = async () => ({
    catalog: await context.catalog(),
    planned: await plannedFor(context, options),
  });
  // If records may prove every cell, there may be no need to ask.
  const { catalog, planned } = await (options.reuse
    ? planning()
    : whileAsking(world.buildx, context, planning));
  const { cache, retries } = catalog.settings();
  const push = options.push ?? false;

  const sbomWith = options.sbomWith ?? "factory";
  await world.requireSbomTool(sbomWith);
  const events =
    options.events === undefined
      ? null
      : await world.eventFile(resolve(context.cwd, options.events), context.signal);
  const traces = await world.traces();
  const view = await world.view({ quiet: context.quiet, color: context.stderrColor });
  let outcome: RunOutcome;
  let unwritten: FactoryError | null = null;
  try {
    outcome = await runCells(
      {
        planned,
        root: catalog.root,
        relative: (path) => relative(catalog.root, path).split(sep).join("/"),
        cache: cache && { place: cache.place, writes: push || cache.write === "always" },
        push,
        retries,
        platform: options.platform,
        jobs: options.jobs ?? DEFAULT_JOBS,
        versions: { factory: version, node: process.versions.node },
        signal: context.signal,
      },
      {
        ...world.runDeps(catalog, { sbomWith }),
        repack: async (...given) => (await import("./repack-step.ts")).repackStep(catalog, world)(...given),
        onEvent: (event) => {
          view.take(event);
          events?.take(event);
          traces?.take(event);
        },
      },
    );
  } finally {
    view.close();
    [unwritten = null] = await Promise.all([events?.close(), traces?.close()]);
    if (unwritten) context.say(`error: events are missing: ${unwritten.message}`);
  }
  const { results, summary, left_out, interrupted } = outcome;
  const isNegative = summary.unexpected > 0 || (summary.repacks?.failed ?? 0) > 0;
  const unsent = push ? await sendRecords(context, sentOf(results)) : null;
  return {
    text: resultText(outcome, context),
    json: { results, summary, left_out },
    exitCode: interrupted ? 130 : unwritten || unsent ? 3 : isNegative ? 1 : 0,
  };
}
