import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openCatalog } from "../catalog/open.ts";
import { makeFolderIn, removeTree } from "../files/folders.ts";
import { writeWhole } from "../files/write-whole.ts";
import { stitch } from "../stitch/stitch.ts";
import type { LayersOf } from "../tools/build-layers.ts";
import type { ProposedManifest } from "./documents.ts";

/** Whether an image of the original has the same layers as one of the workspace. */
export type LayerProof =
  /** `first` is the first layer that differs, from 1. */
  | { same: true; layers: number }
  | { same: false; layers: number; first: number }
  | { same: null; why: string };

/**
 * Builds an original and what the workspace stitches in its place, and compares their layers.
 * @param original the absolute paths of the Dockerfile and of its context
 * @param root the workspace
 * @throws FactoryError INTERRUPTED, DOCKER_MISSING
 */
export async function proveLayers(
  layersOf: LayersOf,
  original: { path: string; context: string | null },
  { root, manifest, signal }: { root: string; manifest: ProposedManifest; signal?: AbortSignal },
): Promise<LayerProof> {
  const { id, platform } = manifest;
  const context = original.context ?? dirname(original.path);
  const one = await layersOf({ dockerfile: original.path, context, platform, signal });
  if ("failed" in one) return { same: null, why: `the original cannot be built here: ${one.failed}` };
  const folder = makeFolderIn(tmpdir(), "factory-adopt-");
  try {
    const stitched = stitch(openCatalog(root), id);
    const dockerfile = join(folder, "Dockerfile");
    writeWhole(`${dockerfile}.dockerignore`, stitched.dockerignore, false);
    writeWhole(dockerfile, stitched.dockerfile, false);
    const other = await layersOf({ dockerfile, context: root, platform, signal });
    if ("failed" in other)
      return { same: null, why: `the stitched Dockerfile cannot be built here: ${other.failed}` };
    const layers = Math.max(one.layers.length, other.layers.length);
    const first = Array.from({ length: layers }, (_, at) => at).find(
      (at) => one.layers[at] !== other.layers[at],
    );
    return first === undefined ? { same: true, layers } : { same: false, layers, first: first + 1 };
  } finally {
    removeTree(folder);
  }
}
