import { FactoryError } from "../errors.ts";
import { openBlobFolder } from "../files/blob-folder.ts";
import { quoted } from "../model/visible.ts";
import { tagOf } from "../plan/cell-names.ts";
import { evidenceOf } from "../records/evidence.ts";
import { RECORD_ARTIFACT, recordManifest } from "../records/remote/record-artifact.ts";
import type { RecordStore } from "../records/store.ts";
import type { FactoryRecord, RecordImage } from "../schemas/types.ts";
import type { Docker } from "../tools/docker.ts";
import { checkImage } from "./check-image.ts";
import { closureOf, descriptorIn, Unsound } from "./descriptors.ts";
import {
  fixedTag,
  type Handed,
  type ImageManifest,
  indexJson,
  layoutFiles,
  manifestJson,
  manifestOf,
} from "./archive-layout.ts";
import { takeFile, type Taken } from "./take-file.ts";
import { tarOf } from "./tar-frame.ts";

export interface LoadDeps {
  docker: Pick<Docker, "loadImages" | "inspectImage" | "tagImage">;
  store: Pick<RecordStore, "foreign" | "claims" | "take">;
  /** Absolute, and nobody else's: where the parts lie until the engine has them. */
  folder: string;
  /** The repository below which this workspace names its images. */
  repository: string;
  signal: AbortSignal;
  /** Called with the bytes that came, now and then. */
  onBytes: (bytes: number) => void;
}

/** A cell whose image and record are here now. */
export interface Loaded {
  cell_id: string;
  manifest_id: string;
  record_id: string;
  digest: string;
  /** The fixed tag, and the one that the workspace has for the cell. */
  tags: string[];
}

/** The largest record, and all evidence of one, in bytes. */
const MOST_RECORD = 8 << 20;
const MOST_EVIDENCE = 512 << 20;

/** A checked part of a file. */
interface Proven {
  handed: Handed;
  record: FactoryRecord & { image: RecordImage };
  whole: { text: Buffer; evidence: Map<string, Uint8Array> };
  manifest: ImageManifest;
}

/** Checks a record against its evidence and its image. @throws Unsound */
async function proven(
  handed: Handed,
  { closure }: Taken,
  blobs: ReturnType<typeof openBlobFolder>,
  { store }: LoadDeps,
): Promise<Proven> {
  const { cell_id, record_id, image } = handed;
  const artifact = closure.documents.get(handed.record.digest);
  if (artifact?.content.artifactType !== RECORD_ARTIFACT) throw new Unsound("it has no record");
  const [first] = Array.isArray(artifact.content.layers) ? (artifact.content.layers as unknown[]) : [];
  const { digest, size } = descriptorIn(first);
  if (size > MOST_RECORD || !blobs.has(digest)) throw new Unsound("its record is too large");
  const text = blobs.read(digest);
  const problem = await store.foreign(text, record_id);
  if (problem !== null) throw new Unsound(`its record ${quoted(record_id)} is none: ${problem}`);
  const record = JSON.parse(text.toString("utf8")) as FactoryRecord;
  const { mediaType } = image;
  const subject = { mediaType, digest: image.digest, size: image.size };
  if (!recordManifest(record, text, subject).equals(artifact.bytes))
    throw new Unsound(`what leads to its record ${record_id} is not as \`factory save\` writes it`);
  const { status } = record.result;
  if (status !== "pass" || !record.image)
    throw new Unsound(`its record ${record_id} proves nothing: it is of a ${status}`);
  if (record.image.digest !== image.digest)
    throw new Unsound(
      `its record ${record_id} proves ${record.image.digest}, and its image is ${image.digest}`,
    );
  const isNamed = record.cell_id === cell_id && cell_id.startsWith(`${record.manifest_id}.`);
  if (!isNamed) throw new Unsound(`its record ${record_id} is of the cell ${quoted(record.cell_id)}`);
  const pieces = evidenceOf(record);
  if (pieces.reduce((total, { bytes }) => total + bytes, 0) > MOST_EVIDENCE)
    throw new Unsound(`the evidence of its record ${record_id} is too large`);
  const evidence = new Map(pieces.map((one) => [one.sha256, blobs.read(`sha256:${one.sha256}`)]));
  const claims = await store.claims(record, evidence);
  if (claims.length > 0)
    throw new Unsound(
      `its record ${record_id} is not proven by its evidence: ${claims
        .slice(0, 3)
        .map(({ what }) => what)
        .join("; ")}`,
    );
  const { manifest_digest } = record.image;
  const manifest = manifestOf(closure, { image, manifest_digest });
  const known = { ...record, image: record.image };
  await checkImage(known, manifest, blobs);
  return { handed, record: known, whole: { text, evidence }, manifest };
}

/** Has the engine take images, by digest, each under its fixed tag. @throws FactoryError ENGINE_* */
async function giveToEngine(
  all: readonly Proven[],
  blobs: ReturnType<typeof openBlobFolder>,
  { docker, signal }: LoadDeps,
): Promise<void> {
  const handed = all.map((one) => one.handed);
  const closure = await closureOf(
    handed.map(({ image }) => image),
    ({ digest }) => Promise.resolve(blobs.read(digest)),
  );
  const manifest = manifestJson(all.map((one) => ({ cell_id: one.handed.cell_id, manifest: one.manifest })));
  const pieces = (digest: string) => blobs.pieces(digest);
  await docker.loadImages(tarOf(layoutFiles(indexJson(handed, false), closure, manifest, pieces)), {
    signal,
  });
  for (const { image, cell_id } of handed) {
    try {
      await docker.inspectImage(image.digest, { signal });
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== "IMAGE_NOT_FOUND") throw error;
      const what = `the engine took the image of ${cell_id}, but does not know it by its digest ${image.digest}`;
      throw new FactoryError("ENGINE_FAILED", what, {
        fix: "turn on the containerd image store (`features.containerd-snapshotter` in daemon.json)",
      });
    }
  }
}

/**
 * Takes the image and the record of a cell from a file that `factory save` wrote, and those of the cells that it starts from.
 * Everything is checked before anything is written or the engine gets a byte: each part against its digest, the record
 * against its evidence, the image against its record.
 * @param source the bytes of the file
 * @param name of the file, for people
 * @returns the cell, and those that it starts from behind it
 * @throws FactoryError HANDOVER_INVALID, RECORD_CONFLICT, ENGINE_*, WRITE_FAILED, INTERRUPTED
 */
export async function loadFile(
  source: AsyncIterable<Uint8Array>,
  name: string,
  deps: LoadDeps,
): Promise<Loaded[]> {
  const { docker, store, signal, repository } = deps;
  const blobs = openBlobFolder(deps.folder);
  const all: Proven[] = [];
  try {
    const taken = await takeFile(source, blobs, deps);
    for (const one of taken.handed) all.push(await proven(one, taken, blobs, deps));
    const manifests = all.map(({ handed, manifest }) => ({ cell_id: handed.cell_id, manifest }));
    if (!manifestJson(manifests).equals(taken.manifest))
      throw new Unsound("its manifest.json is not as `factory save` writes it");
    const ids = new Set(all.map(({ record }) => record.cell_id));
    if (ids.size < all.length) throw new Unsound("it has two images of one cell");
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    throw new FactoryError("HANDOVER_INVALID", `${quoted(name)} is refused: ${error.message}`, {
      fix: "nothing of it was used: save it again with `factory save`, and compare the checksums of both copies",
      cause: error,
    });
  }
  for (const { whole } of all) await store.take(whole);
  await giveToEngine(all, blobs, deps);
  const loaded: Loaded[] = [];
  for (const { record } of all) {
    const { cell_id, manifest_id, record_id } = record;
    const { digest } = record.image;
    // The name is this workspace's: what a file says could be the name of any image here.
    const own = `${repository}/${manifest_id}:${tagOf(cell_id.slice(manifest_id.length + 1))}`;
    await docker.tagImage(digest, own, { signal });
    loaded.push({ cell_id, manifest_id, record_id, digest, tags: [fixedTag(cell_id), own] });
  }
  return loaded;
}
