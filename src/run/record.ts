import type { PlannedCell } from "../plan/cell.ts";
import type { FactoryRecord, RecordResult } from "../schemas/types.ts";
import { suiteHash } from "../model/suite.ts";
import type { Findings } from "./types.ts";

const NOTE_LENGTH = 2000;

/** Whether the verdict is the one that the plan declares; without a declaration, whether it is a pass. */
export function isExpected(planned: PlannedCell, status: RecordResult["status"]): boolean {
  return status === (planned.cell.expect?.result ?? "pass");
}

/** Notes for people: the cause, and what the plan said about it. */
function notesOf(planned: PlannedCell, findings: Findings): string[] {
  const { expect } = planned.cell;
  const notes = findings.failure ? [findings.failure.what] : [];
  if (expect) {
    const held = findings.failure?.status === "fail";
    notes.push(
      held ? `expected to fail: ${expect.reason}` : `was expected to fail, and did not: ${expect.reason}`,
    );
  }
  return [...notes, ...findings.notes].map((note) => note.slice(0, NOTE_LENGTH));
}

/** The record of one attempt. */
export function recordOf(
  planned: PlannedCell,
  findings: Findings & { stage: RecordResult["stage"] },
  about: {
    record_id: string;
    plan_id: string | null;
    tested_at: Date;
    duration_ms: number;
    tools: Record<string, string>;
    source: FactoryRecord["source"];
  },
): FactoryRecord {
  const { cell, stitched } = planned;
  const status = findings.failure?.status ?? "pass";
  return {
    schema_version: 1,
    record_id: about.record_id,
    manifest_id: cell.manifest_id,
    cell_id: cell.cell_id,
    plan_id: about.plan_id,
    build_key: stitched.build_key,
    verdict_key: stitched.verdict_key,
    template: stitched.template,
    fragments: stitched.fragments,
    args: stitched.args,
    base: stitched.base,
    platform: cell.platform,
    image: findings.image,
    test_suite_hash: suiteHash(stitched.tests),
    tests: findings.tests,
    result: {
      status,
      stage: findings.stage,
      class: findings.failure?.class ?? null,
      expected: isExpected(planned, status),
      tested_at: about.tested_at.toISOString(),
      duration_ms: about.duration_ms,
      stages_ms: findings.stages_ms,
      notes: notesOf(planned, findings),
      log_excerpt: findings.failure?.log_excerpt ?? [],
    },
    evidence: findings.evidence,
    cache: findings.cache,
    retries: findings.retries,
    tools: about.tools,
    source: about.source,
  };
}
