import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { FactoryError } from "../errors.ts";
import type { BlobFolder } from "../files/blob-folder.ts";
import { parseReference } from "../model/image-reference.ts";
import type { RegistryDeps } from "../publish/registry-deps.ts";
import type { RecordImage } from "../schemas/types.ts";
import type { Docker } from "../tools/docker.ts";
import {
  type Closure,
  closureOf,
  type Descriptor,
  INDEX_TYPE,
  MOST_DOCUMENT,
  objectIn,
} from "./descriptors.ts";

export interface GatherDeps {
  docker: Pick<Docker, "saveImage">;
  registries: () => Promise<Pick<RegistryDeps, "repository" | "again">>;
  signal: AbortSignal;
  /** Called with the bytes that came, now and then. */
  onBytes: (bytes: number) => void;
}

const BLOB = /^blobs\/sha256\/([a-f0-9]{64})$/;

/** The most that is read of a registry's blob, in bytes: more than any layer. */
const MOST_BLOB = 2 ** 40;

/**
 * Takes what the engine has of an image.
 * @param ref by tag or digest
 * @returns the index.json that leads to it; null if the engine gives none
 * @throws FactoryError ENGINE_*, IMAGE_NOT_FOUND, WRITE_FAILED, INTERRUPTED
 */
export async function saveInto(
  ref: string,
  blobs: BlobFolder,
  deps: Omit<GatherDeps, "registries">,
  platform?: string,
): Promise<string | null> {
  const { signal, onBytes } = deps;
  const { stdout, done } = await deps.docker.saveImage(ref, { signal, platform });
  const tar = extract();
  let index: string | null = null;
  const reading = (async () => {
    for await (const entry of tar) {
      if (entry.header.name === "index.json" && entry.header.size <= MOST_DOCUMENT) {
        index = await text(entry);
        continue;
      }
      const [, hex] = BLOB.exec(entry.header.name) ?? [];
      async function* counted(): AsyncGenerator<Uint8Array, void> {
        for await (const piece of entry as AsyncIterable<Uint8Array>) {
          onBytes(piece.length);
          yield piece;
        }
      }
      if (hex !== undefined && !blobs.has(`sha256:${hex}`)) await blobs.keep(`sha256:${hex}`, counted());
      else entry.resume();
    }
  })();
  const results = await Promise.allSettled([pipeline(stdout, tar), reading, done]);
  if (signal.aborted) throw new FactoryError("INTERRUPTED", "interrupted while the engine saved an image");
  const failures = results.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (failures.length > 0) throw failures.find((one) => one instanceof FactoryError) ?? failures[0];
  return index;
}

/**
 * Has a folder hold an image of a record and all that it consists of: from the engine, and what that lacks from the registry
 * that it was pushed to, by digest.
 * @returns its descriptor and everything below; null if neither has it
 * @throws Unsound; FactoryError ENGINE_*, REGISTRY_*, WRITE_FAILED, INTERRUPTED
 */
export async function gatherImage(
  { ref, digest, pushed = false }: Pick<RecordImage, "ref" | "digest" | "pushed">,
  blobs: BlobFolder,
  deps: GatherDeps,
): Promise<{ image: Descriptor; closure: Closure } | null> {
  const { signal, onBytes } = deps;
  try {
    await saveInto(digest, blobs, deps);
  } catch (error) {
    // What was pushed can be had without an engine too.
    const isAway = error instanceof FactoryError && error.exitCode === 3 && error.code !== "WRITE_FAILED";
    if (!isAway || (!pushed && error.code !== "IMAGE_NOT_FOUND")) throw error;
  }
  const lacks = () =>
    new FactoryError("IMAGE_UNREADABLE", `the engine does not have all of ${digest}`, {
      fix: "build it again with `factory run --force`",
    });

  const fetchDocument = async (wanted: string): Promise<boolean> => {
    if (blobs.has(wanted)) return true;
    if (!pushed) return false;
    const { repository, again } = await deps.registries();
    try {
      const { bytes } = await again(() => repository(parseReference(ref)).manifest(wanted, { signal }));
      await blobs.keep(wanted, Readable.from([bytes]));
      return blobs.has(wanted);
    } catch (error) {
      if (error instanceof FactoryError && error.code === "REGISTRY_NOT_FOUND") return false;
      throw error;
    }
  };
  const fetchBlob = async (blob: Descriptor): Promise<void> => {
    if (blobs.sizeOf(blob.digest) === blob.size) return;
    if (!pushed) throw lacks();
    const { repository, again } = await deps.registries();
    const client = repository(parseReference(ref));
    await again(async () => {
      async function* counted(): AsyncGenerator<Uint8Array, void> {
        for await (const piece of client.blob(blob, { most: MOST_BLOB, signal })) {
          onBytes(piece.length);
          yield piece;
        }
      }
      await blobs.keep(blob.digest, counted());
    });
  };

  if (!(await fetchDocument(digest))) return null;
  const bytes = blobs.read(digest);
  const { mediaType, manifests } = objectIn(bytes, `the image ${digest}`);
  const own = Array.isArray(manifests) ? INDEX_TYPE : "application/vnd.oci.image.manifest.v1+json";
  const image = { mediaType: typeof mediaType === "string" ? mediaType : own, digest, size: bytes.length };
  const closure = await closureOf([image], async (document) => {
    if (!(await fetchDocument(document.digest))) throw lacks();
    return blobs.read(document.digest);
  });
  for (const leaf of closure.leaves.values()) await fetchBlob(leaf);
  return { image, closure };
}
