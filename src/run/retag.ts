import type { PlannedCell } from "../plan/cell.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { type Known, tagImage } from "./image.ts";
import { pushImage } from "./push.ts";
import type { RunDeps, RunSettings } from "./types.ts";

/**
 * Gives the image of a proven cell the cell's own tag, and pushes it where asked for. What proves it stays what it was:
 * the new record has the old one's verdict, its time and its evidence, and says whose they are.
 * @returns null where the push failed: then the cell is built and tested as any other
 */
export async function retag(
  { cell }: PlannedCell,
  { record }: Known,
  settings: RunSettings,
  deps: Pick<RunDeps, "docker" | "sleep" | "onNote" | "onState">,
): Promise<{ record: (record_id: string) => FactoryRecord } | null> {
  const { image } = record;
  const ref = cell.tags[0] ?? "";
  if (!image) return null;
  deps.onState(cell.cell_id, { stage: settings.push ? "push" : "build" });
  await tagImage(deps.docker, image.digest, ref, settings.signal);
  if (settings.push) {
    const { failure } = await pushImage(ref, image.digest, deps, settings.signal);
    if (failure) {
      deps.onNote(`${cell.cell_id}: ${failure.what}: building it`);
      return null;
    }
  }
  return {
    record: (record_id) => ({
      ...record,
      record_id,
      cell_id: cell.cell_id,
      plan_id: cell.plan_ids[0] ?? null,
      image: { ...image, ref, pushed: settings.push },
      result: {
        ...record.result,
        expected: true,
        notes: [`proven by ${record.record_id}: tagged anew, not tested again`],
      },
    }),
  };
}
