import { FactoryError } from "../errors.ts";
import { type BlobFolder, openBlobFolder } from "../files/blob-folder.ts";
import type { PlannedCell } from "../plan/cell.ts";
import { reasonText } from "../plan/decide/change-text.ts";
import { evidenceOf } from "../records/evidence.ts";
import { MANIFEST_TYPE, recordManifest } from "../records/remote/record-artifact.ts";
import type { RecordStore } from "../records/store.ts";
import type { WholeRecord } from "../records/travel.ts";
import type { RecordImage } from "../schemas/types.ts";
import { sha256 } from "../model/digest.ts";
import { checkImage } from "./check-image.ts";
import { closureOf, type Descriptor, Unsound } from "./descriptors.ts";
import { gatherImage, type GatherDeps } from "./gather.ts";
import {
  fixedTag,
  type Handed,
  indexJson,
  layoutFiles,
  manifestJson,
  manifestOf,
  MOST_CELLS,
} from "./archive-layout.ts";
import { tarOf, tarSize } from "./tar-frame.ts";

export interface SaveDeps extends GatherDeps {
  store: Pick<RecordStore, "all">;
  /** Absolute, and nobody else's: where the parts lie until the file is written. */
  folder: string;
  /** Has the parts as one file. */
  write: (pieces: AsyncIterable<Uint8Array>) => Promise<void>;
}

export interface Saved {
  ref: string;
  digest: string;
  record_id: string;
  /** How large the file is. */
  bytes: number;
}

/** The command that makes what is missing. */
function commandFor({ cell: { cell_id, manifest_id, plan_ids } }: PlannedCell): string {
  const [plan] = plan_ids;
  const from = plan === undefined ? `--manifest-id ${manifest_id}` : `--plan ${plan}`;
  return `run \`factory run ${from} --cell ${cell_id}\``;
}

/** The record that proves a cell. @throws FactoryError CELL_UNPROVEN */
export function proofOf(planned: PlannedCell): string {
  const { cell_id, action, reason, record_id } = planned.cell;
  // One whose image the engine has lost, or has under another name, is proven all the same.
  const isProven = action === "reuse" || action === "retag" || (action === "build" && reason === "IMAGE");
  if (isProven && record_id !== null) return record_id;
  throw new FactoryError(
    "CELL_UNPROVEN",
    `no record proves ${cell_id} as it is now (${reasonText(planned.cell) || "NEW"})`,
    {
      fix: commandFor(planned),
    },
  );
}

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield await Promise.resolve(bytes);
}

/** Puts a record and its evidence beside its image. @returns the descriptor of its artifact */
async function addRecord(whole: WholeRecord, image: Descriptor, blobs: BlobFolder): Promise<Descriptor> {
  const { record, text } = whole;
  const { mediaType, digest, size } = image;
  const manifest = recordManifest(record, text, { mediaType, digest, size });
  const parts = [
    manifest,
    text,
    Buffer.from("{}"),
    ...evidenceOf(record).map((piece) => whole.evidence(piece)),
  ];
  for (const part of parts) await blobs.keep(sha256(part), bytesOf(part));
  return { mediaType: MANIFEST_TYPE, digest: sha256(manifest), size: manifest.length };
}

/**
 * Writes the proven image of a cell, and its record with all evidence, to one file; so with each cell that it starts from,
 * without which its proof says nothing. The same images and records give the same bytes.
 * @param cells decided about by the records: the one that is asked for last, those that it starts from in front of it
 * @throws FactoryError CELL_UNPROVEN, IMAGE_NOT_FOUND, IMAGE_UNREADABLE, EVIDENCE_LOST, ENGINE_*, REGISTRY_*, WRITE_FAILED,
 * INTERRUPTED
 */
export async function saveCells(cells: readonly PlannedCell[], deps: SaveDeps): Promise<Saved> {
  const { signal } = deps;
  const wanted = [...cells].reverse();
  if (wanted.length > MOST_CELLS)
    throw new FactoryError(
      "IMAGE_UNREADABLE",
      `${wanted.length} cells are more than a file takes: ${MOST_CELLS}`,
    );
  const ids = wanted.map(proofOf);
  const blobs = openBlobFolder(deps.folder);
  const handed: Handed[] = [];
  const images: Parameters<typeof manifestJson>[0][number][] = [];
  for (const [at, planned] of wanted.entries()) {
    const { cell_id, manifest_id } = planned.cell;
    const all = await deps.store.all(manifest_id);
    const whole = await all.find(({ record_id }) => record_id === ids[at])?.read();
    const known: RecordImage | null | undefined = whole?.record.image;
    if (!whole || !known) throw new FactoryError("CELL_UNPROVEN", `the record ${ids[at]} is gone`);
    const record = { ...whole.record, image: known };
    try {
      const gathered = await gatherImage(known, blobs, deps);
      if (!gathered) {
        const where = known.pushed ? "neither in the engine nor in the registry" : "no longer in the engine";
        const what = `the image of ${cell_id} that ${record.record_id} proves (${known.digest}) is ${where}`;
        throw new FactoryError("IMAGE_NOT_FOUND", what, { fix: commandFor(planned) });
      }
      const { image, closure } = gathered;
      const manifest = manifestOf(closure, { image, manifest_digest: known.manifest_digest });
      await checkImage(record, manifest, blobs);
      images.push({ cell_id, manifest });
      handed.push({
        cell_id,
        record_id: record.record_id,
        image,
        record: await addRecord(whole, image, blobs),
      });
    } catch (error) {
      if (!(error instanceof Unsound)) throw error;
      throw new FactoryError(
        "IMAGE_UNREADABLE",
        `the image ${known.digest} cannot be saved: ${error.message}`,
        {
          fix: commandFor(planned).replace("` factory", "`factory").replace(/`$/, " --force`"),
          cause: error,
        },
      );
    }
  }
  const roots = [...handed.map(({ image }) => image), ...handed.map(({ record }) => record)];
  const closure = await closureOf(roots, ({ digest }) => Promise.resolve(blobs.read(digest)));
  const files = layoutFiles(indexJson(handed), closure, manifestJson(images), (digest) =>
    blobs.pieces(digest),
  );
  async function* whole(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of tarOf(files)) {
      if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while writing");
      yield piece;
    }
  }
  await deps.write(whole());
  const [first] = handed;
  if (!first) throw new Error("no cell was to be saved");
  const { cell_id, record_id, image } = first;
  return { ref: fixedTag(cell_id), digest: image.digest, record_id, bytes: tarSize(files) };
}
