import { join } from "node:path";
import type { Change } from "../compare/compare-images.ts";
import { compareTrees, readTree } from "../compare/file-tree.ts";
import { openStored, type StoredImage } from "../compare/stored-image.ts";
import { FactoryError } from "../errors.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import { removeTree } from "../files/folders.ts";
import { manifestOf } from "../handover/archive-layout.ts";
import { Unsound } from "../handover/descriptors.ts";
import { gatherImage, type GatherDeps } from "../handover/gather.ts";
import type { Repacked } from "../model/inputs.ts";
import { tieTo, tooLittle } from "../model/other-layers.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { repackedCell } from "../plan/repacked-cell.ts";
import type { FactoryRecord, RecordImage } from "../schemas/types.ts";
import { assemble, bareImage } from "./assemble.ts";
import { writeMarks } from "./layout-marks.ts";
import { type ProgramDeps, repackedBy } from "./repackers.ts";
import { plainLayers } from "./plain-layers.ts";
import { type PullModel, pullSeconds } from "./pull-time.ts";
import { proveRepacked, type ProveDeps } from "./prove-repacked.ts";

/** What an image costs those who pull it. */
export interface ImageCost {
  ref: string;
  digest: string;
  /** Packed, of all layers. */
  bytes: number;
  layers: number;
  pull_s: number;
}

export interface RepackOptions {
  with: Repacked["with"];
  /** Of the program; null for BuildKit. */
  version: string | null;
  /** How large a layer may be, in bytes, packed. */
  target_size: number;
  /** The tag of the repacked image, with its repository. */
  tag: string;
  model: PullModel;
  push: boolean;
  /** The part of the packed bytes that has to be saved for it to be pushed. */
  minSaving: number;
}

export interface RepackDeps extends ProveDeps, ProgramDeps {
  docker: ProveDeps["docker"];
  buildx: ProveDeps["buildx"];
  registries: GatherDeps["registries"];
  /** Absolute, and this work's own. */
  folder: string;
  signal: AbortSignal;
  onBytes: (bytes: number) => void;
  onProgress: (text: string) => void;
}

export interface Repacking {
  cell_id: string;
  with: Repacked["with"];
  original: ImageCost & { record_id: string };
  repacked: ImageCost;
  /** The part of the packed bytes that is saved; below zero if it is larger. */
  saving: number;
  /** Files that differ: then there is no record, and the engine has nothing of it. */
  changes: Change[];
  /** Its record; null if its files are not those of the original. */
  record: FactoryRecord | null;
  pushed: boolean;
  /** Why it was not pushed although that was asked for; null otherwise. */
  kept_back: string | null;
}

function costOf(
  { digest, layers }: StoredImage,
  ref: string,
  about: { unpacked: readonly number[]; model: PullModel },
): ImageCost {
  const pulled = layers.map(({ mediaType, size }, at) => {
    return { mediaType, packed: size, unpacked: about.unpacked[at] ?? 0 };
  });
  const bytes = pulled.reduce((total, { packed }) => total + packed, 0);
  const pull_s = Math.round(pullSeconds(pulled, about.model) * 100) / 100;
  return { ref, digest, bytes, layers: layers.length, pull_s };
}

/** The proven image of a record, with all its blobs in a folder. @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE */
async function originalImage(
  { image }: { image: RecordImage },
  blobs: ReturnType<typeof openBlobFolder>,
  deps: RepackDeps,
): Promise<StoredImage> {
  try {
    const gathered = await gatherImage(image, blobs, deps);
    if (!gathered)
      throw new FactoryError("IMAGE_NOT_FOUND", `neither the engine nor a registry has ${image.digest}`, {
        fix: "run the cell again with `factory run --force`",
      });
    const { manifest_digest } = image;
    return openStored(
      "the proven image",
      manifestOf(gathered.closure, { image: gathered.image, manifest_digest }),
      blobs,
    );
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    throw new FactoryError("IMAGE_UNREADABLE", `the image ${image.digest} cannot be used: ${error.message}`, {
      fix: "run the cell again with `factory run --force`",
      cause: error,
    });
  }
}

/**
 * Puts the proven image of a cell into other layers, holds its files to those of the original, tests it again, and records that.
 * The original and its tag stay as they are.
 * @param planned the cell as the records decide about it
 * @param record the one that proves it
 * @throws FactoryError IMAGE_NOT_FOUND, IMAGE_UNREADABLE, TOOL_FAILED, TOOL_MISSING, ENGINE_*, REGISTRY_*, WRITE_FAILED, INTERRUPTED
 */
export async function repack(
  planned: PlannedCell,
  record: FactoryRecord & { image: RecordImage },
  options: RepackOptions,
  deps: RepackDeps,
): Promise<Repacking> {
  const { folder, signal, onBytes, onProgress } = deps;
  const { model, tag, target_size } = options;
  const { image, record_id, cell_id, platform } = record;
  const start = deps.clock.date();
  const blobs = openBlobFolder(join(folder, "original"));
  const before = await originalImage(record, blobs, deps);
  const one = await readTree(before, { signal, onBytes });
  onProgress(`repacking with ${options.with}`);
  const odd = options.with === "docker-repack" ? one.oddlyNamed : [];
  const manifest = await bareImage(before, await plainLayers(before, odd, { blobs, signal }), blobs);
  const { layout, image: made } = await repackedBy(
    options.with,
    { folder, manifest, platform, targetSize: target_size },
    deps,
  );
  const other = openBlobFolder(layout);
  const { image: after, manifest: own } = await assemble(before, made, { blobs: other, by: options.with });
  writeMarks(layout, own, platform);

  onProgress("comparing the files of both images");
  const two = await readTree(after, { signal, onBytes });
  const { changes } = compareTrees(one, two);
  const original = costOf(before, image.ref, { unpacked: one.unpacked, model });
  const repacked = costOf(after, tag, { unpacked: two.unpacked, model });
  const saving = original.bytes === 0 ? 0 : 1 - repacked.bytes / original.bytes;
  const about = {
    cell_id,
    with: options.with,
    original: { ...original, digest: image.digest, record_id },
    repacked,
    saving,
    changes,
  };
  if (changes.length > 0) return { ...about, record: null, pushed: false, kept_back: null };
  removeTree(join(folder, "original"));

  const tie = tieTo({ record_id, image }, options);
  const kept_back = options.push ? tooLittle(saving, options.minSaving) : null;
  const proven = await proveRepacked(
    repackedCell(planned, tie, tag),
    { image: own, layout, original: record, tie, saving, start, push: options.push && kept_back === null },
    deps,
  );
  return { ...about, record: proven, pushed: proven.image?.pushed ?? false, kept_back };
}
