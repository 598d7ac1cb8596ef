import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { pack } from "tar-stream";
import { provable } from "../../bench/provable.ts";
import { closureOf, type Descriptor } from "../../src/handover/descriptors.ts";
import {
  type Handed,
  indexJson,
  layoutFiles,
  manifestJson,
  manifestOf,
} from "../../src/handover/archive-layout.ts";
import { loadFile, type LoadDeps, type Loaded } from "../../src/handover/load.ts";
import { tarOf } from "../../src/handover/tar-frame.ts";
import { sha256 } from "../../src/model/digest.ts";
import { type Inputs, keysOf } from "../../src/model/inputs.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import { evidenceOf } from "../../src/records/evidence.ts";
import { recordManifest } from "../../src/records/remote/record-artifact.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import type { ImageInspect } from "../../src/tools/docker.ts";
import { scriptedDocker } from "./scripted-docker.ts";
import { INPUTS, START } from "./records-made.ts";
import { temporaryFolder } from "./workspace.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** How many layers the image of a made record has. */
const LAYERS = 8;

/** The bytes of blobs by digest. */
export type Blobs = Map<string, Buffer>;

function put(blobs: Blobs, bytes: Buffer | string): { digest: string; size: number } {
  const data = Buffer.from(bytes);
  blobs.set(sha256(data), data);
  return { digest: sha256(data), size: data.length };
}

/** What an image of a test is made of. */
export interface ImageMade {
  inputs?: Inputs;
  /** The first layer, packed, and the hash of what it unpacks to; the others are small. */
  layer?: { bytes: Buffer; diffId: string };
  architecture?: string;
  labels?: Record<string, string>;
}

/** The tar of a layer with one file. */
export async function layerTar(text: string): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: "file", mtime: new Date(0) }, text);
  tar.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of tar as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** An image of one platform. @returns what names it */
export async function makeImage(
  blobs: Blobs,
  made: ImageMade = {},
): Promise<Descriptor & { manifest: string }> {
  const { inputs = INPUTS, architecture = "amd64" } = made;
  const tar = await layerTar("x");
  const small = { bytes: gzipSync(tar), diffId: sha256(tar) };
  const layers = Array.from({ length: LAYERS }, (_, at) => (at === 0 ? (made.layer ?? small) : small));
  const config = {
    os: "linux",
    architecture,
    config: { Labels: made.labels ?? { "io.factory.build-key": keysOf(inputs).build_key } },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...put(blobs, JSON.stringify(config)) },
    layers: layers.map(({ bytes }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      ...put(blobs, bytes),
    })),
  };
  const own = put(blobs, JSON.stringify(manifest));
  return { mediaType: OCI_MANIFEST, ...own, manifest: own.digest };
}

/** A record, its text and its evidence by sha256. */
export interface RecordMade {
  record: FactoryRecord;
  text: Buffer;
  evidence: Map<string, Buffer>;
}

/** The record of a pass that proves an image. @param change of what is written, after it was made */
export async function makeRecord(
  digest: string,
  { inputs = INPUTS, ref = "demo:1", start = START, change = (draft: object) => draft } = {},
): Promise<RecordMade> {
  const root = temporaryFolder();
  const store = openStore(root);
  const { draft, evidence } = provable(inputs, { start, duration_ms: 60_000, digest, ref });
  for (const [kind, { text, mediaType }] of Object.entries(evidence))
    draft.evidence[kind] = await store.keep(inputs.manifest_id, text, mediaType);
  await store.put(change(draft) as typeof draft, start);
  const [one] = await store.all();
  const whole = await one?.read();
  if (!whole) throw new Error("no record");
  const kept = evidenceOf(whole.record).map((piece) => [piece.sha256, whole.evidence(piece)] as const);
  return { record: whole.record, text: whole.text, evidence: new Map(kept) };
}

/** A whole file with any record and any image, in the form that `factory save` has. */
export async function fileWith(
  blobs: Blobs,
  parts: readonly { image: Descriptor & { manifest: string }; made: RecordMade; cellId?: string }[],
): Promise<Buffer> {
  const handed: Handed[] = [];
  for (const { image, made, cellId } of parts) {
    const { mediaType, digest, size } = image;
    const artifact = put(blobs, recordManifest(made.record, made.text, { mediaType, digest, size }));
    for (const part of [made.text, Buffer.from("{}"), ...made.evidence.values()]) put(blobs, part);
    handed.push({
      cell_id: cellId ?? made.record.cell_id,
      record_id: made.record.record_id,
      image: { mediaType, digest, size },
      record: { mediaType: OCI_MANIFEST, ...artifact },
    });
  }
  const read = (digest: string): Buffer => {
    const bytes = blobs.get(digest);
    if (!bytes) throw new Error(`no blob ${digest}`);
    return bytes;
  };
  const roots = [...handed.map(({ image }) => image), ...handed.map(({ record }) => record)];
  const closure = await closureOf(roots, ({ digest }) => Promise.resolve(read(digest)));
  const manifests = handed.map(({ cell_id, image }, at) => ({
    cell_id,
    manifest: manifestOf(closure, { image, manifest_digest: parts[at]?.image.manifest ?? "" }),
  }));
  // eslint-disable-next-line @typescript-eslint/require-await
  const pieces = async function* (digest: string): AsyncGenerator<Uint8Array, void> {
    yield read(digest);
  };
  return bytesOf(tarOf(layoutFiles(indexJson(handed), closure, manifestJson(manifests), pieces)));
}

export async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A whole file with one proven image. */
export async function provenFile(): Promise<{ bytes: Buffer; made: RecordMade; digest: string }> {
  const blobs: Blobs = new Map();
  const image = await makeImage(blobs);
  const made = await makeRecord(image.digest);
  return { bytes: await fileWith(blobs, [{ image, made }]), made, digest: image.digest };
}

/** What an engine was asked for. */
export interface Engine {
  /** The bytes of each archive that it took. */
  loaded: Buffer[];
  /** `digest tag` */
  tags: string[];
}

/** Loads a file into an empty workspace. */
export async function load(
  file: Buffer | AsyncIterable<Uint8Array>,
  given: { root?: string; engine?: Engine } = {},
): Promise<Loaded[]> {
  const { root = temporaryFolder(), engine = { loaded: [], tags: [] } } = given;
  const deps: LoadDeps = {
    docker: scriptedDocker({
      loadImages: async (tar) => void engine.loaded.push(await bytesOf(tar)),
      inspectImage: (ref) => Promise.resolve({ Id: ref } as ImageInspect),
      tagImage: (image, ref) => Promise.resolve(void engine.tags.push(`${image} ${ref}`)),
    }),
    store: openStore(root),
    folder: join(temporaryFolder(), "parts"),
    repository: "registry.example/team",
    signal: new AbortController().signal,
    onBytes: () => undefined,
  };
  // eslint-disable-next-line @typescript-eslint/require-await
  const one = async function* (): AsyncGenerator<Uint8Array, void> {
    yield file as Buffer;
  };
  return loadFile(Buffer.isBuffer(file) ? one() : file, "image.tar", deps);
}
