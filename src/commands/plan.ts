import { resolve } from "node:path";
import { errorOf, FactoryError } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import { prefixTargets } from "../plan/prefix.ts";
import { paletteOf } from "../screen/palette.ts";
import type { CommandResult, Context } from "./context.ts";
import type { ShardedPlan } from "../plan/shards/split.ts";
import { planOf, type PlanningOptions, splitDeps } from "./planning.ts";

interface PlanOptions extends PlanningOptions {
  format?: "table" | "json" | "bake" | "github" | "dot" | "mermaid";
  shards?: number;
  maxJobs?: number;
  output?: string;
}

function countBy(cells: readonly PlannedCell[], of: (planned: PlannedCell) => string | null) {
  const counts: Record<string, number> = {};
  for (const planned of cells) {
    const key = of(planned);
    if (key !== null) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function summaryOf(planned: Planned) {
  const { cells, left_out, coverage } = planned;
  return {
    cells: cells.length,
    platforms: countBy(cells, ({ cell }) => cell.platform),
    prefixes: prefixTargets(cells, null).length,
    actions: countBy(cells, ({ cell }) => cell.action),
    reasons: countBy(cells, ({ cell }) => cell.reason),
    expected_failures: cells.filter(({ cell }) => cell.expect).length,
    left_out,
    coverage,
  };
}

/** Where the Dockerfiles of bake files lie: a plan and a manifest may have one id. */
function folderOf({ plan_id, plan_ids, manifest_id }: Planned): string {
  if (plan_id !== null) return `.factory/plan/${plan_id}`;
  return plan_ids.length > 0 ? ".factory/plans" : `.factory/manifest/${manifest_id}`;
}

/** The command line that writes a plan's bake files. */
function commandOf({ plan_id, manifest_id, plan_ids }: Planned): string {
  const named = plan_id ?? (plan_ids.length > 0 ? null : `--manifest-id ${manifest_id}`);
  return `factory plan${named === null ? "" : ` ${named}`} --format bake`;
}

function shardLines({ shards, estimate, fingerprint }: ShardedPlan): string {
  const seconds = (ms: number) => `${grouped(Math.ceil(ms / 1000))} s`;
  const { floor_ms, longest_ms, slowest, known } = estimate;
  return (
    `${shards.length} ${shards.length === 1 ? "shard" : "shards"} (${fingerprint}): the longest takes about ${seconds(longest_ms)}, and none of this plan can be done in less than ${seconds(floor_ms)}` +
    `${slowest === null ? "" : ` (slowest cell: ${slowest})`}; ${known.durations} of ${known.of} durations are known from records`
  );
}

/** The document of `--format json`, a piece at a time: a plan may have a hundred thousand cells. */
function* jsonPieces(planned: Planned, more: object): Generator<string> {
  const { plan_id, plan_ids, manifest_id, cells } = planned;
  const head = JSON.stringify({ plan_id, plan_ids, manifest_id }, null, 2).slice(0, -2);
  yield `${head},\n  "cells": [`;
  let piece = "";
  for (const [at, { cell }] of cells.entries()) {
    piece += `${at === 0 ? "" : ","}\n    ${JSON.stringify(cell)}`;
    if (piece.length > 65_536) {
      yield piece;
      piece = "";
    }
  }
  const tail = JSON.stringify({ summary: summaryOf(planned), ...more }, null, 2).slice(1);
  yield `${piece}${cells.length === 0 ? "" : "\n  "}],${tail}`;
}

/**
 * Writes the Dockerfiles that bake files name, so that these build as they stand. Cells that differ in their platform or
 * their labels alone share one: bake files carry the labels.
 * @returns the name of each cell's
 */
async function writeDockerfiles(planned: Planned, folder: string, context: Context) {
  const { root } = await context.catalog();
  const [{ fillFolder }, { insideWorkspace }] = await Promise.all([
    import("../files/write-folder.ts"),
    import("../files/own-folders.ts"),
  ]);
  const names = new Map<PlannedCell, string>();
  const written = new Set<string>();
  fillFolder(insideWorkspace(root, folder), (write) => {
    for (const one of planned.cells) {
      const { manifest_id, unlabelled, dockerignore } = one.render();
      const name = `${manifest_id}-${sha256Hex(`${unlabelled}\n${dockerignore}`).slice(0, 16)}.Dockerfile`;
      names.set(one, name);
      if (written.has(name)) continue;
      written.add(name);
      write(name, unlabelled);
      write(`${name}.dockerignore`, dockerignore);
    }
  });
  const count = written.size;
  context.say(`${grouped(count)} Dockerfile${count === 1 ? "" : "s"} in ${folder}; bake from ${root}`);
  return names;
}

async function bake(planned: Planned, options: PlanOptions, context: Context): Promise<CommandResult> {
  const { settings } = await context.catalog();
  const { bakeFiles, countBakeFiles } = await import("../plan/formats/bake.ts");
  const folder = folderOf(planned);
  const output = options.output === "-" ? undefined : options.output;
  const count = countBakeFiles(planned.cells);
  if (count > 1 && output === undefined) {
    throw new FactoryError("USAGE", `the plan takes ${count} bake files, of 500 targets at most each`, {
      fix: "name a folder for them with -o DIR, or narrow the plan",
    });
  }
  const dockerfiles = await writeDockerfiles(planned, folder, context);
  const { writeOutput } = await import("../files/write-output.ts");
  const names: string[] = [];
  for (const { name, text } of bakeFiles(planned.cells, {
    dockerfile: (cell) => `${folder}/${dockerfiles.get(cell)}`,
    cacheRepository: settings().cache_repository,
    output: () => ["type=docker"],
    header: { command: commandOf(planned) },
  })) {
    if (count === 1 && output === undefined)
      return { text: text.trimEnd(), isContent: true, json: { bake: text.trimEnd() } };
    const file = resolve(context.cwd, output ?? "", ...(count === 1 ? [] : [name]));
    await writeOutput(file, [text], context.signal);
    names.push(name);
  }
  const cells = `${grouped(planned.cells.length)} cells`;
  return {
    text: count === 1 ? `${output}: ${cells}` : `${output}: ${names.length} files, ${cells}`,
    json: null,
    jsonPieces: () =>
      jsonPieces(planned, { bake: count === 1 ? { file: output } : { folder: output, files: names } }),
  };
}

/** The text of a format, whole or a piece at a time, and its document. */
async function render(planned: Planned, options: PlanOptions, context: Context): Promise<CommandResult> {
  const format = options.format ?? (context.json ? "json" : "table");
  const sharding =
    options.shards !== undefined
      ? { shards: options.shards }
      : options.maxJobs !== undefined || format === "github"
        ? { maxJobs: options.maxJobs ?? 256 }
        : null;
  if (format === "dot" || format === "mermaid") {
    const diagram = await import("../plan/formats/diagram.ts");
    const text = diagram[format](planned.cells);
    return { text, isContent: true, json: { [format]: text } };
  }
  const { splitPlan } = await import("../plan/shards/split.ts");
  const sharded = sharding ? await splitPlan(planned, sharding, await splitDeps(context)) : null;
  if (sharded && sharded.shards.length > 0) context.say(shardLines(sharded));
  if (format === "github") {
    const [{ checkMaxJobs, ciMatrix }, { poolOf }, { github }] = await Promise.all([
      import("../plan/formats/matrix.ts"),
      import("../plan/pools.ts"),
      import("../ci/github.ts"),
    ]);
    if (options.maxJobs !== undefined) checkMaxJobs(options.maxJobs, github);
    const runnerOf = poolOf(await context.catalog());
    const strategy = ciMatrix(github, sharded?.shards ?? [], {
      fingerprint: sharded?.fingerprint,
      runsOn: ({ cell, keys }) => runnerOf(cell.platform, keys.gpus).runs_on,
      needed: ({ cell }) => cell.action !== "reuse",
    });
    return { text: JSON.stringify(strategy), json: strategy };
  }
  const more = sharded
    ? {
        shards: sharded.shards.map((cells) => cells.map(({ cell }) => cell.cell_id)),
        shards_fingerprint: sharded.fingerprint,
        estimate: sharded.estimate,
      }
    : {};
  const json = { json: null, jsonPieces: () => jsonPieces(planned, more) };
  if (format === "json") return { text: jsonPieces(planned, more), ...json };
  const { planTable } = await import("./plan-table.ts");
  const toFile = options.output !== undefined && options.output !== "-";
  const shown = toFile
    ? { columns: undefined, color: paletteOf(false) }
    : { columns: context.columns, color: context.color };
  const lines = planTable(planned, shown);
  return { text: [...lines].join("\n"), ...json };
}

function* withNewline(text: string | Iterable<string>): Generator<string> {
  if (typeof text === "string") yield text;
  else yield* text;
  yield "\n";
}

/** `factory plan`: the cells of a plan as a table, JSON, bake files, a CI matrix or a diagram. */
export async function plan(context: Context, options: PlanOptions): Promise<CommandResult> {
  const planned = await planOf(context, { ...options, all: true });
  const { lint } = await import("../plan/lint.ts");
  const findings = lint(planned.cells);
  if (findings.length > 0) throw errorOf(findings);
  if (options.format === "bake") return bake(planned, options, context);
  const result = await render(planned, options, context);
  const { output } = options;
  if (output === undefined || output === "-") return result;
  const { text } = result;
  const { writeOutput } = await import("../files/write-output.ts");
  await writeOutput(resolve(context.cwd, output), withNewline(text), context.signal);
  return { ...result, text: `${output}: ${grouped(planned.cells.length)} cells` };
}
