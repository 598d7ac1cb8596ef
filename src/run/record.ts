import type { PlannedCell } from "../plan/cell.ts";
import type { RecordDraft } from "../records/record-id.ts";
import type { FactoryRecord, RecordResult } from "../schemas/types.ts";
import type { Trail } from "../pipeline/stage.ts";

const NOTE_LENGTH = 2000;

/** Whether the verdict is the one that the plan declares; without a declaration, whether it is a pass. */
export function isExpected(planned: PlannedCell, status: RecordResult["status"]): boolean {
  return status === (planned.cell.expect?.result ?? "pass");
}

/** Notes for people: the cause, and what the plan said about it. */
function notesOf(planned: PlannedCell, trail: Trail): string[] {
  const { expect } = planned.cell;
  const notes = trail.failure ? [trail.failure.what] : [];
  if (expect) {
    const held = trail.failure?.status === "fail";
    notes.push(
      held ? `expected to fail: ${expect.reason}` : `was expected to fail, and did not: ${expect.reason}`,
    );
  }
  return [...notes, ...trail.notes].map((note) => note.slice(0, NOTE_LENGTH));
}

/** What a record says of an attempt beside what the attempt found. */
export interface About {
  plan_id: string | null;
  /** When the attempt began, and how long it took: it was tested when it was over. */
  start: Date;
  duration_ms: number;
  tools: Record<string, string>;
  source: FactoryRecord["source"];
}

/** The record of one attempt, which has no id yet. */
export function recordOf(planned: PlannedCell, trail: Trail, about: About): RecordDraft {
  const { cell, keys } = planned;
  const status = trail.failure?.status ?? "pass";
  return {
    schema_version: 2,
    manifest_id: cell.manifest_id,
    cell_id: cell.cell_id,
    plan_id: about.plan_id,
    proven_by: null,
    recipe_key: keys.recipe_key,
    build_key: keys.build_key,
    verdict_key: keys.verdict_key,
    template: keys.template,
    fragments: [...keys.fragments],
    args: keys.args,
    base: keys.base,
    images: [...keys.images],
    ...(keys.parent && { parent: keys.parent }),
    ...(keys.sources.length > 0 && { sources: [...keys.sources] }),
    platform: cell.platform,
    image: trail.image,
    test_suite_hash: keys.test_suite_hash,
    tests: trail.tests,
    result: {
      status,
      stage: trail.stage,
      class: trail.failure?.class ?? null,
      expected: isExpected(planned, status),
      tested_at: new Date(about.start.getTime() + about.duration_ms).toISOString(),
      duration_ms: about.duration_ms,
      stages_ms: trail.stages_ms,
      notes: notesOf(planned, trail),
      log_excerpt: trail.failure?.log_excerpt ?? [],
    },
    evidence: trail.evidence,
    cache: trail.cache,
    retries: trail.retries,
    tools: about.tools,
    source: about.source,
  };
}

/**
 * The record of a cell whose image only got a tag. What proves it stays what it was: it has the verdict, the time and the
 * evidence of the record that proves it, and says whose they are.
 */
export function retagRecordOf(
  planned: PlannedCell,
  trail: Trail,
  { record_id, ...proof }: FactoryRecord,
  { plan_id }: About,
): RecordDraft {
  return {
    ...proof,
    proven_by: proof.proven_by ?? record_id,
    cell_id: planned.cell.cell_id,
    plan_id,
    image: trail.image,
    result: { ...proof.result, expected: true, notes: trail.notes },
    evidence: trail.evidence,
  };
}
