import { baseKey, type BaseResolution, resolveBases } from "../builder/base.ts";
import { makeFolder, removeTree } from "../files/folders.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { RunDeps } from "./types.ts";

/** The bases of a run's cells, as the builder has them. */
export interface Bases {
  /** A cell on the digest of its base, where that is known and can be fetched by it; with what was made of the base. */
  pinned: (before: PlannedCell) => { planned: PlannedCell; base: BaseResolution | undefined };
  /** Settles when the folder is gone. */
  ready: Promise<void>;
}

/**
 * Resolves the bases with a folder of its own for what is written meanwhile. While the first builds wait for the engine,
 * what the later stages need is made ready from there.
 * @param folder absolute; made and removed here
 */
export async function resolveIn(
  folder: string,
  cells: readonly PlannedCell[],
  deps: RunDeps,
  signal: AbortSignal | undefined,
): Promise<Bases> {
  const bases = cells.flatMap(({ cell }) =>
    cell.base.digest === null ? [{ ref: cell.base.ref, platform: cell.platform }] : [],
  );
  const layouts: { layout: string; digest: string }[] = [];
  const layers = deps.layers && {
    lend: deps.layers.lend,
    keep: (layout: string, digest: string) => {
      deps.layers?.keep(layout, digest);
      layouts.push({ layout, digest });
    },
  };
  const remove = () => removeTree(folder);
  makeFolder(folder);
  try {
    const resolved = await resolveBases(bases, { ...deps, layers, folder }, { signal });
    const platforms = [...new Set(bases.map(({ platform }) => platform))];
    return {
      pinned: (before) => {
        const { base, platform } = before.cell;
        const found = resolved.get(baseKey({ ref: base.ref, platform }));
        const digest = base.digest === null && found?.pinnable ? found.digest : null;
        return { planned: digest === null ? before : before.pin(digest), base: found };
      },
      ready: deps.prepare(layouts, platforms, signal).finally(remove),
    };
  } catch (error) {
    remove();
    throw error;
  }
}
