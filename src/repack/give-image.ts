import type { BlobFolder } from "../files/blob-folder.ts";
import { layoutFiles } from "../handover/archive-layout.ts";
import { closureOf, type Descriptor } from "../handover/descriptors.ts";
import { tarOf } from "../handover/tar-frame.ts";
import type { Docker } from "../tools/docker.ts";
import { indexOf } from "./layout-marks.ts";

/**
 * Has the engine take an image from a folder of blobs.
 * @param ref a full name with its host, under which it is held
 * @throws FactoryError ENGINE_*, IMAGE_NOT_FOUND if the engine does not know it by its digest, INTERRUPTED
 */
export async function giveImage(
  image: Descriptor,
  ref: string,
  { blobs, docker, signal }: { blobs: BlobFolder; docker: Docker; signal: AbortSignal },
): Promise<void> {
  const closure = await closureOf([image], ({ digest }) => Promise.resolve(blobs.read(digest)));
  const tag = ref.slice(ref.lastIndexOf(":") + 1);
  const annotations = { "io.containerd.image.name": ref, "org.opencontainers.image.ref.name": tag };
  const pieces = (digest: string) => blobs.pieces(digest);
  const files = layoutFiles(indexOf(image, { annotations }), closure, Buffer.from("[]"), pieces);
  await docker.loadImages(tarOf(files), { signal });
  await docker.inspectImage(image.digest, { signal });
}
