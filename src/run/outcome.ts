import type { CellEnded, CellRepacked, LeftOutCell, RunEvent, RunSummary } from "../schemas/types.ts";

/** What one cell came to. */
export interface CellResult extends Omit<CellEnded, "v" | "at" | "type"> {
  /** What became of its other layers; missing where none are asked for. */
  repack?: RepackResult;
}

/** What the other layers of one cell came to. */
export type RepackResult = Omit<CellRepacked, "v" | "at" | "type" | "cell_id">;

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

function repackOf(event: CellRepacked): RepackResult {
  const { status, with: program, record_id, record, image, saving, pushed, duration_ms, why } = event;
  return { status, with: program, record_id, record, image, saving, pushed, duration_ms, why };
}

/** Whether other layers that were asked for are not there, through the fault of something. */
export const isBroken = ({ status }: RepackResult): boolean =>
  status === "fail" || status === "error" || status === "refused";

/** Counts results by status. */
function summaryOf(results: readonly CellResult[]): RunSummary {
  const repacks = results.flatMap(({ repack }) => repack ?? []);
  const counted = (status: string) => repacks.filter((one) => one.status === status).length;
  const count = (status: string) => results.filter((result) => result.status === status).length;
  return {
    pass: count("pass"),
    fail: count("fail"),
    error: count("error"),
    reused: count("reused"),
    unexpected: results.filter(({ expected }) => !expected).length,
    ...(repacks.length > 0 && {
      repacks: {
        pass: counted("pass"),
        reused: counted("reused"),
        failed: repacks.filter(isBroken).length,
        left_out: counted("left-out"),
      },
    }),
  };
}

/** Reads the events of a run. The results are in the order of the run's cells, however they ended. */
export function createOutcome(): { take: (event: RunEvent) => void; outcome: () => RunOutcome } {
  const results: CellResult[] = [];
  const repacks = new Map<string, RepackResult>();
  const order = new Map<string, number>();
  let left_out: LeftOutCell[] = [];
  let interrupted = false;
  return {
    take: (event) => {
      if (event.type === "run-started") event.cells.forEach((id, at) => order.set(id, at));
      if (event.type === "cell-ended") {
        results.push(resultOf(event));
      }
      if (event.type === "cell-repacked") repacks.set(event.cell_id, repackOf(event));
      if (event.type === "run-ended") ({ left_out, interrupted } = event);
    },
    outcome: () => {
      const place = ({ cell_id }: CellResult) => order.get(cell_id) ?? 0;
      const sorted = [...results]
        .sort((a, b) => place(a) - place(b))
        .map((result) => {
          const repack = repacks.get(result.cell_id);
          return repack ? { ...result, repack } : result;
        });
      return { results: sorted, summary: summaryOf(sorted), left_out, interrupted };
    },
  };
}
