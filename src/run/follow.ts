import type { PlannedCell } from "../plan/cell.ts";
import { topological } from "../plan/topology.ts";
import type { End } from "./origins.ts";

/** What is done about one cell, and once nothing starts from it any more. */
export interface Following {
  /** @param parent how the cell ended that it starts from; null if it starts from none */
  run: (planned: PlannedCell, parent: End | null) => Promise<End>;
  done: (end: End) => Promise<void>;
}

/**
 * Runs each cell as soon as the one that it starts from has ended; all others at once. What fails with an error fails all
 * that start from it in the same way.
 * @param cells with each that they start from, in the order in which they are started where they can be
 * @returns how each came out
 */
export async function followParents(
  cells: readonly PlannedCell[],
  { run, done }: Following,
): Promise<PromiseSettledResult<unknown>[]> {
  const ends = new Map<string, Promise<End>>();
  const below = new Map<string, Promise<End>[]>();
  for (const planned of topological(cells)) {
    const { cell_id, parent } = planned.cell;
    const before = parent === undefined ? null : ends.get(parent);
    if (before === undefined)
      throw new Error(`${cell_id} starts from ${parent}, which is not part of the run`);
    const end = before === null ? run(planned, null) : before.then((it) => run(planned, it));
    ends.set(cell_id, end);
    if (parent !== undefined) below.set(parent, [...(below.get(parent) ?? []), end]);
  }
  const dones = [...ends].map(async ([cell_id, end]) => {
    await Promise.allSettled(below.get(cell_id) ?? []);
    await done(await end);
  });
  return Promise.allSettled([...ends.values(), ...dones]);
}
