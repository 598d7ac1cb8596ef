import { baseKey, type BaseResolution, resolveBases } from "../builder/base.ts";
import { makeFolder, removeTree } from "../files/folders.ts";
import { openImages } from "../plan/bases.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { DigestOf } from "../stitch/stitch.ts";
import type { RunDeps } from "./types.ts";

/** The images that a run's cells read, as the builder has them. */
export interface Bases {
  /**
   * A cell on the digests of its images, where they can be fetched by them; with the first image that cannot be had.
   * @param parents the digests of the images of manifests
   */
  pinned: (
    before: PlannedCell,
    parents: DigestOf,
  ) => { planned: PlannedCell; base: BaseResolution | undefined };
  /** Settles when the folder is gone. */
  ready: Promise<void>;
}

/**
 * Resolves the images with a folder of its own for what is written meanwhile. While the first builds wait for the engine,
 * what the later stages need is made ready from there.
 * @param folder absolute; made and removed here
 */
export async function resolveIn(
  folder: string,
  cells: readonly PlannedCell[],
  deps: RunDeps,
  signal: AbortSignal | undefined,
): Promise<Bases> {
  const images = openImages(cells);
  const layouts: { layout: string; digest: string }[] = [];
  const layers = deps.layers && {
    ...deps.layers,
    keep: (layout: string, digest: string, base: string | undefined) => {
      deps.layers?.keep(layout, digest, base);
      layouts.push({ layout, digest });
    },
  };
  const remove = () => removeTree(folder);
  makeFolder(folder);
  try {
    const resolved = await resolveBases(images, { ...deps, layers, folder }, { signal });
    const platforms = [...new Set(images.map(({ platform }) => platform))];
    return {
      pinned: (before, parents) => {
        const asked = openImages([before]);
        if (asked.length === 0 && before.cell.parent === undefined)
          return { planned: before, base: undefined };
        const found = asked.map((image) => resolved.get(baseKey(image)));
        const planned = before.pin((ref, platform) => {
          const image = resolved.get(baseKey({ ref, platform }));
          return image?.pinnable ? image.digest : parents(ref, platform);
        });
        return { planned, base: found.find((image) => image?.error) };
      },
      ready: deps.prepare(layouts, platforms, signal).finally(remove),
    };
  } catch (error) {
    remove();
    throw error;
  }
}
