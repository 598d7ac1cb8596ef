import { FactoryError } from "../errors.ts";
import { STAGES } from "../pipeline/table.ts";
import { createEmit } from "./events.ts";
import { lineageOf } from "./lineage.ts";
import { maskedEmit, withMask } from "./masked.ts";
import { createOutcome, type RunOutcome } from "./outcome.ts";
import { ofPlatform } from "./platforms.ts";
import { openRepacks } from "./repacks.ts";
import type { RunDeps, RunRequest } from "./types.ts";
import { reused, runWork } from "./work.ts";

/**
 * Runs cells, several at once: resolve the base, then one attempt each, then its record. A failing cell only stops those
 * that start from its image. What a record proves is not run again. When the signal fires, running cells end, each with a
 * record, and no further one is started. All of it is told as events; what it gives back is read from them.
 * @throws FactoryError for failures that are not the fault of one cell: no engine, no such platform, a missing secret, a full disk
 */
export async function runCells(request: RunRequest, given: RunDeps): Promise<RunOutcome> {
  const { planned, signal, stages = STAGES } = request;
  const cells = ofPlatform(planned.cells, request.platform);
  const { take: told, outcome } = createOutcome();
  const { mask } = given.secrets;
  const deps = withMask(given);
  const emit = maskedEmit(createEmit(deps.clock, told, deps.onEvent), mask);
  emit({
    type: "run-started",
    plan_ids: planned.plan_ids,
    stages: stages.map(({ name }) => name),
    cells: cells.map(({ cell }) => cell.cell_id),
  });
  const { take, done, close } = openRepacks(request, deps, emit);
  let left_out: { cell_id: string; platform: string }[] = [];
  let error: { code: string; what: string } | null = null;
  try {
    const lineage = lineageOf(cells);
    for (const one of lineage.settled) {
      emit(reused(one, deps.store));
      take(one, null);
    }
    if (lineage.active.length > 0)
      left_out = await runWork(lineage, { ...request, stages }, deps, { emit, take });
    await done();
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    error = { code: thrown instanceof FactoryError ? thrown.code : "INTERNAL", what };
    throw thrown;
  } finally {
    // Where the run breaks off, what is under way ends before its folder is gone.
    await close();
    deps.folder.remove();
    const interrupted = signal?.aborted ?? false;
    emit({ type: "run-ended", summary: outcome().summary, left_out, interrupted, error });
  }
  return outcome();
}
