import type { StageProgress } from "../schemas/types.ts";
import type { CellLine, CellState, CellVerdict } from "./view-frame.ts";

/** The cells of a run as they are shown, updated by events. */
export interface ViewLines {
  all: () => CellLine[];
  of: (id: string) => CellLine;
  /** @param stages in their order: of several that run at once, the first is shown */
  begin: (stages: readonly string[], cells: readonly string[]) => void;
  /** Both say whether the shown stage has changed. */
  start: (id: string, stage: string) => boolean;
  stop: (id: string, stage: string) => boolean;
  progress: (progress: StageProgress) => void;
  finish: (id: string, verdict: CellVerdict, text: string) => void;
}

/** @param clock gives milliseconds since some fixed moment */
export function createLines(clock: { now: () => number }): ViewLines {
  const cells = new Map<string, CellLine>();
  /** Stages that are running, by cell. */
  const running = new Map<string, Map<string, CellState>>();
  const order = new Map<string, number>();

  const cellOf = (id: string): CellLine => {
    let cell = cells.get(id);
    if (!cell)
      cells.set(id, (cell = { id, started: null, ended: null, state: null, verdict: null, text: "" }));
    return cell;
  };
  const stagesOf = (id: string): Map<string, CellState> => {
    let stages = running.get(id);
    if (!stages) running.set(id, (stages = new Map<string, CellState>()));
    return stages;
  };
  /** Shows the first of the stages that are running; if there is none, the last one stays. */
  const show = (id: string): boolean => {
    const cell = cellOf(id);
    const place = ({ stage }: CellState) => order.get(stage) ?? order.size;
    const [first] = [...stagesOf(id).values()].sort((a, b) => place(a) - place(b));
    if (!first || cell.state?.stage === first.stage) return false;
    cell.state = first;
    return true;
  };

  return {
    all: () => [...cells.values()],
    of: cellOf,
    begin: (stages, ids) => {
      stages.forEach((stage, at) => order.set(stage, at));
      ids.forEach(cellOf);
    },
    start: (id, stage) => {
      cellOf(id).started ??= clock.now();
      stagesOf(id).set(stage, { stage });
      return show(id);
    },
    stop: (id, stage) => {
      stagesOf(id).delete(stage);
      return show(id);
    },
    progress: ({ cell_id, stage, step, steps, cached, detail }) => {
      const state = stagesOf(cell_id).get(stage);
      if (state) Object.assign(state, { step, steps, cached, detail });
    },
    finish: (id, verdict, text) => {
      const cell = cellOf(id);
      cell.started ??= clock.now();
      cell.ended = clock.now();
      cell.verdict = verdict;
      cell.text = text;
      running.delete(id);
    },
  };
}
