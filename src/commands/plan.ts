import { resolve } from "node:path";
import { errorOf, FactoryError } from "../errors.ts";
import { grouped } from "../model/count.ts";
import type { Planned } from "../plan/cell.ts";
import type { FormatInput, FormatOutput, PlanFormat } from "../plan/formats/format.ts";
import { type FormatName, PLAN_FORMATS } from "../plan/formats/formats.ts";
import type { ShardedPlan } from "../plan/shards/split.ts";
import { paletteOf } from "../screen/palette.ts";
import type { CommandResult, Context } from "./context.ts";
import { planOf, type PlanningOptions, splitDeps } from "./planning.ts";

interface PlanOptions extends PlanningOptions {
  format?: FormatName;
  shards?: number;
  maxJobs?: number;
  output?: string;
}

function shardLines({ shards, estimate, fingerprint }: ShardedPlan): string {
  const seconds = (ms: number) => `${grouped(Math.ceil(ms / 1000))} s`;
  const { floor_ms, longest_ms, slowest, known } = estimate;
  return (
    `${shards.length} ${shards.length === 1 ? "shard" : "shards"} (${fingerprint}): the longest takes about ${seconds(longest_ms)}; with this plan it cannot be less than ${seconds(floor_ms)}` +
    `${slowest === null ? "" : ` (slowest cell: ${slowest})`}; ${known.durations} of ${known.of} durations are known from records`
  );
}

/** The split that the command line asks for or the format needs; null if neither does. */
async function shardedFor(
  planned: Planned,
  format: PlanFormat,
  { shards, maxJobs = format.maxJobs }: Pick<PlanOptions, "shards" | "maxJobs">,
  context: Context,
): Promise<ShardedPlan | null> {
  if (format.sharding === "never") return null;
  const by = shards !== undefined ? { shards } : maxJobs !== undefined ? { maxJobs } : null;
  if (!by) return null;
  const { splitPlan } = await import("../plan/shards/split.ts");
  const sharded = await splitPlan(planned, by, await splitDeps(context));
  if (sharded.shards.length > 0) context.say(shardLines(sharded));
  return sharded;
}

/** What a format may use. @param toFile whether its output goes to a file */
async function inputOf(context: Context, toFile: boolean) {
  const [catalog, { planTable }, { fillFolder }, { insideWorkspace }] = await Promise.all([
    context.catalog(),
    import("./plan-table.ts"),
    import("../files/write-folder.ts"),
    import("../files/own-folders.ts"),
  ]);
  const { columns, color } = context;
  const screen = toFile ? { columns: undefined, color: paletteOf(false) } : { columns, color };
  return {
    catalog,
    draw: (planned) => planTable(planned, screen),
    fillFolder: (folder, fill) => fillFolder(insideWorkspace(catalog.root, folder), fill),
    say: context.say,
  } satisfies Partial<FormatInput>;
}

function* withNewline(text: string | Iterable<string>): Generator<string> {
  if (typeof text === "string") yield text;
  else yield* text;
  yield "\n";
}

/** `factory plan`: the cells of a plan in one of the formats. */
export async function plan(context: Context, options: PlanOptions): Promise<CommandResult> {
  const planned = await planOf(context, { ...options, all: true });
  const { lint } = await import("../plan/lint.ts");
  const findings = lint(planned.cells);
  if (findings.length > 0) throw errorOf(findings);

  const name = options.format ?? (context.json ? "json" : "table");
  const format: PlanFormat = PLAN_FORMATS[name];
  const output = options.output === "-" ? undefined : options.output;
  const [{ write }, { planDocument }, input] = await Promise.all([
    format.load(),
    import("../plan/formats/json.ts"),
    inputOf(context, output !== undefined),
  ]);
  const sharded = await shardedFor(planned, format, options, context);
  const made = write({ ...input, planned, sharded, maxJobs: options.maxJobs });
  const { count, files, isContent, document } = made;
  if (output !== undefined) {
    const where = await writeFiles(made, output, context);
    const files = count === 1 ? "" : `${count} files, `;
    const text = `${output}: ${files}${grouped(planned.cells.length)} cells`;
    if (typeof document === "object") return { text, json: document.json };
    const more = document === "text" ? { [name]: where } : {};
    return { text, json: null, jsonPieces: () => planDocument(planned, sharded, more) };
  }
  const [only] = count === 1 ? files : [];
  if (!only) {
    throw new FactoryError(
      "USAGE",
      `as ${name} the plan needs ${count} files, since the number of cells in one file is limited`,
      {
        fix: "name a folder for them with -o DIR, or narrow the plan",
      },
    );
  }
  const { text } = only;
  if (document === "plan")
    return { text, isContent, json: null, jsonPieces: () => planDocument(planned, sharded) };
  return { text, isContent, json: document === "text" ? { [name]: text } : document.json };
}

/** Writes one file, or several into a folder. @returns where they are, for `--json` */
async function writeFiles(
  { count, files }: FormatOutput,
  output: string,
  context: Context,
): Promise<{ file: string } | { folder: string; files: string[] }> {
  const { writeOutput } = await import("../files/write-output.ts");
  const names: string[] = [];
  for (const { name, text } of files) {
    const file = resolve(context.cwd, output, ...(count === 1 ? [] : [name]));
    await writeOutput(file, withNewline(text), context.signal);
    names.push(name);
  }
  return count === 1 ? { file: output } : { folder: output, files: names };
}
