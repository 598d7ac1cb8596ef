import { join } from "node:path";
import { pack } from "tar-stream";
import type { LibraryContent } from "../catalog/library-content.ts";
import { FactoryError } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import { listed } from "../files/listing.ts";
import { sizeText } from "../model/bytes.ts";
import { canonicalJson, sha256 } from "../model/digest.ts";

/** The kinds of a library's artifact and of its layer. */
export const ARTIFACT_TYPE = "application/vnd.factory.library.v1";
export const LAYER_TYPE = "application/vnd.factory.library.v1.tar";
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The annotation with the digest of what the library holds. */
const CONTENT_ANNOTATION = "io.factory.library.content";

/** The config of an artifact that has none, as the OCI image specification names it. */
export const EMPTY_CONFIG = Buffer.from("{}");

/** A library is text and small files: the most bytes of one. */
export const MOST_BYTES = 64 << 20;

/** An artifact of a library. The same files give the same bytes, and so the same digest. */
export interface Artifact {
  manifest: Buffer;
  /** Of the manifest. */
  digest: string;
  layer: Buffer;
}

const descriptor = (mediaType: string, bytes: Uint8Array) => ({
  mediaType,
  digest: sha256(bytes),
  size: bytes.length,
});

/** The manifest of a layer with these files. */
function manifestOf(layer: Buffer, content: string): Buffer {
  const title = { "org.opencontainers.image.title": "library.tar" };
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType: ARTIFACT_TYPE,
      config: descriptor("application/vnd.oci.empty.v1+json", EMPTY_CONFIG),
      layers: [{ ...descriptor(LAYER_TYPE, layer), annotations: title }],
      annotations: { [CONTENT_ANNOTATION]: content },
    }),
  );
}

function readDeclared(file: string, path: string, digest: string): Buffer {
  const bytes = readRegular(file, MOST_BYTES)?.bytes;
  if (bytes && sha256(bytes) === digest) return bytes;
  throw new FactoryError("FILE_CHANGED", `${path} changed while it was read`, {
    where: { file: path },
    fix: "run the command again, when nothing writes to it",
  });
}

/**
 * Packs a library.
 * @param folder absolute: where its content was read
 * @throws FactoryError FILE_CHANGED, FILE_TOO_LARGE
 */
export async function packLibrary(folder: string, content: LibraryContent): Promise<Artifact> {
  const tar = pack();
  const pieces: Uint8Array[] = [];
  let size = 0;
  const collected = (async () => {
    for await (const piece of tar as AsyncIterable<Uint8Array>) {
      pieces.push(piece);
      size += piece.length;
      if (size <= MOST_BYTES) continue;
      throw new FactoryError("FILE_TOO_LARGE", `the library has more than ${sizeText(MOST_BYTES)}`, {
        fix: "let its fragments download what is large, with a checksum",
      });
    }
  })();
  try {
    for (const [name, tree] of content.trees) {
      for (const file of listed(name, tree)) {
        const header = { name: file.path, mode: Number.parseInt(file.mode, 8), mtime: new Date(0) };
        if (file.path.endsWith("/")) tar.entry({ ...header, type: "directory" });
        else tar.entry(header, readDeclared(join(folder, file.path), file.path, file.sha256));
      }
    }
    tar.finalize();
  } catch (error) {
    tar.destroy();
    await collected.catch(() => undefined);
    throw error;
  }
  await collected;
  const layer = Buffer.concat(pieces);
  const manifest = manifestOf(layer, content.digest);
  return { manifest, digest: sha256(manifest), layer };
}
