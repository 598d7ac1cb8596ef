import {
  drawFrame,
  elapsed,
  oneLine,
  type CellLine,
  type CellState,
  type CellVerdict,
} from "./view-frame.ts";

export type { CellState, CellVerdict };

/** Milliseconds since some fixed moment, and a way to be called again and again; the answer of `every` stops that. */
export interface ViewClock {
  now: () => number;
  every: (ms: number, call: () => void) => () => void;
}

/** Shows how the cells of a run go on. Unknown cells are shown from their first update on. */
export interface View {
  update: (cellId: string, state: CellState) => void;
  finish: (cellId: string, verdict: CellVerdict, text: string) => void;
  /** A line that stays, such as a warning. */
  note: (text: string) => void;
  /** Draws the last state and gives the terminal back. Nothing is shown afterwards. */
  close: () => void;
}

interface ViewOptions {
  stream: NodeJS.WriteStream;
  /** Whether the stream is a terminal on which lines may be drawn over. */
  interactive: boolean;
  color: boolean;
  clock: ViewClock;
  /** All the cells of the run, in the order in which they are shown. */
  cells: string[];
}

/** How often a terminal is drawn, and after how much silence a plain view gives a sign of life. */
const FRAME_MS = 100;
const SILENCE_MS = 15_000;

function createCells(ids: string[], clock: ViewClock) {
  const cells = new Map<string, CellLine>();
  const cellOf = (id: string): CellLine => {
    let cell = cells.get(id);
    if (!cell)
      cells.set(id, (cell = { id, started: null, ended: null, state: null, verdict: null, text: "" }));
    return cell;
  };
  ids.forEach(cellOf);
  return {
    all: () => [...cells.values()],
    update: (id: string, state: CellState): { cell: CellLine; stageChanged: boolean } => {
      const cell = cellOf(id);
      const stageChanged = cell.state?.stage !== state.stage;
      cell.started ??= clock.now();
      cell.state = state;
      return { cell, stageChanged };
    },
    finish: (id: string, verdict: CellVerdict, text: string): CellLine => {
      const cell = cellOf(id);
      cell.started ??= clock.now();
      cell.ended = clock.now();
      cell.verdict = verdict;
      cell.text = text;
      return cell;
    },
  };
}

/** A line when a cell's stage changes, one when it ends, and one after 15 seconds of silence. */
function createPlainView({ stream, clock, cells: ids }: ViewOptions): View {
  const cells = createCells(ids, clock);
  let last = clock.now();
  let closed = false;
  const write = (text: string) => {
    if (closed) return;
    last = clock.now();
    stream.write(`${oneLine(text)}\n`);
  };
  const stop = clock.every(1000, () => {
    if (clock.now() - last < SILENCE_MS) return;
    const running = cells.all().filter((cell) => cell.state !== null && cell.verdict === null);
    const told = running.map(({ id, state, started }) => {
      const steps = state?.steps ? ` ${state.step ?? 0}/${state.steps}` : "";
      return `${id} ${state?.stage}${steps} (${elapsed(clock.now() - (started ?? 0))})`;
    });
    if (told.length > 0) write(`still running: ${told.join(", ")}`);
  });
  return {
    update: (id, state) => {
      if (cells.update(id, state).stageChanged) write(`${id}: ${state.stage}`);
    },
    finish: (id, verdict, text) => {
      const { started, ended } = cells.finish(id, verdict, text);
      write(`${id}: ${verdict} (${elapsed((ended ?? 0) - (started ?? 0))})${text && ` ${text}`}`);
    },
    note: write,
    close: () => {
      closed = true;
      stop();
    },
  };
}

async function createTerminalView({ stream, color, clock, cells: ids }: ViewOptions): Promise<View> {
  const [{ createLogUpdate }, { default: stringWidth }, { default: picocolors }] = await Promise.all([
    import("log-update"),
    import("string-width"),
    import("picocolors"),
  ]);
  const log = createLogUpdate(stream);
  const paint = picocolors.createColors(color);
  const cells = createCells(ids, clock);
  let closed = false;
  const frame = (rows: number) => {
    const size = { columns: stream.columns || 80, rows };
    return drawFrame(cells.all(), { now: clock.now(), size, paint, width: stringWidth });
  };
  const draw = () => {
    if (!closed) log(frame(stream.rows || 24));
  };
  const stop = clock.every(FRAME_MS, draw);
  draw();
  return {
    update: (id, state) => void cells.update(id, state),
    finish: (id, verdict, text) => {
      cells.finish(id, verdict, text);
      draw();
    },
    note: (text) => {
      if (closed) return;
      log.persist(oneLine(text));
      draw();
    },
    close: () => {
      if (closed) return;
      closed = true;
      stop();
      log.clear();
      stream.write(`${frame(Infinity)}\n`);
      log.done();
    },
  };
}

/** The live view on a terminal: a line per cell, drawn in place. Elsewhere plain lines. Writes to `stream` alone. */
export async function createView(options: ViewOptions): Promise<View> {
  return options.interactive ? createTerminalView(options) : createPlainView(options);
}
