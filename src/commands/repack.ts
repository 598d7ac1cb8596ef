import { FactoryError } from "../errors.ts";
import { proofOf } from "../handover/save.ts";
import { bytesOf, sizeText } from "../model/bytes.ts";
import { isDigest } from "../model/image-reference.ts";
import type { Repacked } from "../model/inputs.ts";
import { notPushed } from "../model/other-layers.ts";
import { brief, visible } from "../model/visible.ts";
import { RECORD_ID } from "../records/record-id.ts";
import type { RecordStore } from "../records/store.ts";
import type { Repacking } from "../repack/repack.ts";
import { type PullModel, UNPACK_RATES } from "../repack/pull-time.ts";
import { table } from "../screen/table.ts";
import type { DockerRepack } from "../tools/docker-repack.ts";
import { byteProgress } from "./byte-progress.ts";
import type { CommandResult, Context } from "./context.ts";
import { planCell } from "./plan-cell.ts";
import { noDockerRepack, repackProven } from "./repack-proven.ts";
import { sendRecords } from "./send-records.ts";

interface RepackOptions {
  with?: Repacked["with"] | undefined;
  targetSize: string;
  tagSuffix: string;
  bandwidth: number;
  parallel: number;
  push?: boolean;
  locked?: boolean;
}

const SHOWN = 10;
const LISTED = 200;

/** The cell that a cell id, a digest or a record id means. @throws FactoryError UNKNOWN_RECORD, IMAGE_NOT_FOUND */
async function cellOf(text: string, store: RecordStore): Promise<{ cellId: string; digest: string | null }> {
  if (RECORD_ID.test(text)) {
    const { cell_id, image } = await store.get(text);
    return { cellId: cell_id, digest: image?.digest ?? null };
  }
  if (!isDigest(text)) return { cellId: text, digest: null };
  const { records } = await store.list({ status: "pass" });
  const own = records.find(({ digest }) => digest === text);
  if (own) return { cellId: own.cell_id, digest: text };
  throw new FactoryError("IMAGE_NOT_FOUND", `no record here proves ${text}`, {
    fix: "name a cell: see `factory plan`; or bring its record with `factory records pull`",
  });
}

/** A program, with its version if it is one of its own. */
interface Program {
  program: Repacked["with"];
  /** null for BuildKit. */
  version: string | null;
}

/** The programs to use, in turn, until the files of one's image are those of the original. @throws FactoryError TOOL_MISSING */
async function programsFor(
  asked: Repacked["with"] | undefined,
  dockerRepack: DockerRepack,
): Promise<readonly Program[]> {
  const zstd: Program = { program: "zstd", version: null };
  if (asked === "zstd") return [zstd];
  const found = await dockerRepack.version();
  if (found !== null) {
    const first: Program = { program: "docker-repack", version: found };
    return asked === undefined ? [first, zstd] : [first];
  }
  if (asked === undefined) return [zstd];
  throw noDockerRepack();
}

function textOf(
  found: Repacking,
  columns: number | undefined,
  { green, red, yellow }: Context["color"],
): string {
  const { original, repacked, saving, changes, record, pushed, kept_back } = found;
  const rows = [original, repacked].map(({ ref, bytes, layers, pull_s }) => [
    ref,
    sizeText(bytes),
    String(layers),
    `${pull_s.toFixed(1)} s`,
  ]);
  const percent = `${(Math.abs(saving) * 100).toFixed(1)} % ${saving < 0 ? "larger" : "smaller"}`;
  const differing = changes.slice(0, SHOWN).map(({ path, how }) => `  ${visible(path)}  ${how.join(", ")}`);
  const status = record?.result.status;
  const verdict =
    record === null
      ? red(`refused: ${changes.length} files are not those of the original`)
      : status === "pass"
        ? green(`passed: ${percent}, by ${found.with}; record ${record.record_id}`)
        : red(`${status}: ${brief(record.result.notes[0] ?? "")}; record ${record.record_id}`);
  return [
    table(["IMAGE", "PACKED", "LAYERS", "PULL"], rows, columns),
    "",
    verdict,
    ...differing,
    ...(pushed ? [`pushed as ${repacked.ref}`] : []),
    ...(kept_back === null ? [] : [yellow(notPushed(kept_back))]),
  ].join("\n");
}

/** `factory repack`: the files of a proven image in other layers, with a tag and a record of their own. */
export async function repack(
  context: Context,
  image: string,
  options: RepackOptions,
): Promise<CommandResult> {
  const { locked = false, push = false, bandwidth, parallel } = options;
  const targetSize = bytesOf(options.targetSize);
  const [catalog, world] = await Promise.all([context.catalog(), context.world()]);
  const { signal } = context;
  const deps = world.runDeps(catalog, { sbomWith: "factory" });
  const programs = await programsFor(options.with, world.dockerRepack);
  const { cellId, digest } = await cellOf(image, deps.store);
  const planned = (await planCell(context, cellId, locked)).at(-1);
  if (!planned) throw new Error(`the cell ${cellId} was planned, and is not there`);
  const record = await deps.store.get(proofOf(planned));
  if (record.schema_version !== 2 || !record.image || (digest !== null && record.image.digest !== digest))
    throw new FactoryError(
      "CELL_UNPROVEN",
      `${cellId} is proven as another image by now: ${record.record_id}`,
      {
        fix: `name the cell itself: factory repack ${cellId}`,
      },
    );
  const own = { ...record, image: record.image };
  const model = { bandwidth, parallel };
  const repackBy = ({ program, version }: Program): Promise<Repacking> =>
    repackProven(
      { planned, record: own, push, model },
      { with: program, version, target_size: targetSize, tag_suffix: options.tagSuffix },
      {
        catalog,
        world,
        runDeps: deps,
        signal,
        say: context.say,
        onBytes: byteProgress(context, "of the images so far"),
      },
    );
  try {
    let found: Repacking | undefined;
    for (const program of programs) {
      if (found)
        context.say(
          `warning: ${found.with} changed ${found.changes.length} files, such as ${visible(found.changes[0]?.path ?? "")}: using ${program.program}`,
        );
      found = await repackBy(program);
      if (found.record) break;
    }
    if (!found) throw new Error("there is no program to repack with");
    return await resultOf(context, found, model);
  } finally {
    deps.folder.remove();
  }
}

/** The result of the command; what was pushed has its record sent after it. */
async function resultOf(
  context: Context,
  found: Repacking,
  { bandwidth, parallel }: PullModel,
): Promise<CommandResult> {
  const { changes, record: own, ...about } = found;
  const json = {
    ...about,
    record_id: own?.record_id ?? null,
    status: own?.result.status ?? null,
    changes: changes.slice(0, LISTED),
    left_out: Math.max(0, changes.length - LISTED),
    model: { bandwidth_bits: bandwidth, parallel, unpack_bytes: UNPACK_RATES },
  };
  const isProven = own?.result.status === "pass";
  const unsent = own && found.pushed ? await sendRecords(context, [own.record_id]) : null;
  const exitCode = context.signal.aborted ? 130 : !isProven ? 1 : unsent ? 3 : 0;
  return { text: textOf(found, context.columns, context.color), json, exitCode };
}
