import type { CellEnded, LeftOutCell, RunEvent, RunSummary } from "../schemas/types.ts";

/** What one cell came to. */
export type CellResult = Omit<CellEnded, "v" | "at" | "type">;

/** What a run came to. */
export interface RunOutcome {
  results: CellResult[];
  summary: RunSummary;
  /** Cells that were not run because the engine cannot build their platform. */
  left_out: LeftOutCell[];
  interrupted: boolean;
}

function resultOf(event: CellEnded): CellResult {
  const { cell_id, manifest_id, platform, status, expected, stage } = event;
  const { class: failure, record_id, record, image, cache, duration_ms, notes } = event;
  return {
    cell_id,
    manifest_id,
    platform,
    status,
    expected,
    stage,
    class: failure,
    record_id,
    record,
    image,
    cache,
    duration_ms,
    notes,
  };
}

/** Counts results by status. */
function summaryOf(results: readonly CellResult[]): RunSummary {
  const count = (status: string) => results.filter((result) => result.status === status).length;
  return {
    pass: count("pass"),
    fail: count("fail"),
    error: count("error"),
    reused: count("reused"),
    unexpected: results.filter(({ expected }) => !expected).length,
  };
}

/** Reads the events of a run. The results are in the order of the run's cells, however they ended. */
export function createOutcome(): { take: (event: RunEvent) => void; outcome: () => RunOutcome } {
  const results: CellResult[] = [];
  const order = new Map<string, number>();
  let left_out: LeftOutCell[] = [];
  let interrupted = false;
  return {
    take: (event) => {
      if (event.type === "run-started") event.cells.forEach((id, at) => order.set(id, at));
      if (event.type === "cell-ended") {
        results.push(resultOf(event));
      }
      if (event.type === "run-ended") ({ left_out, interrupted } = event);
    },
    outcome: () => {
      const place = ({ cell_id }: CellResult) => order.get(cell_id) ?? 0;
      const sorted = [...results].sort((a, b) => place(a) - place(b));
      return { results: sorted, summary: summaryOf(sorted), left_out, interrupted };
    },
  };
}
