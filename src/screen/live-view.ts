import { repackText } from "./repack-text.ts";
import type { CellEnded, RunEvent } from "../schemas/types.ts";
import { createLines, type ViewLines } from "./view-lines.ts";
import { drawFrame, elapsed, oneLine } from "./view-frame.ts";

/** Milliseconds since some fixed moment, and a timer that calls again and again; the function that `every` returns stops it. */
export interface ViewClock {
  now: () => number;
  every: (ms: number, call: () => void) => () => void;
}

/** Shows the progress of a run: a reader of its events. */
export interface View {
  take: (event: RunEvent) => void;
  /** Draws the last state and restores the terminal. Nothing is shown afterwards. */
  close: () => void;
}

interface ViewOptions {
  stream: NodeJS.WriteStream;
  /** Whether the stream is a terminal on which lines may be redrawn. */
  interactive: boolean;
  color: boolean;
  clock: ViewClock;
}

/** How often a terminal is redrawn, and after how much silence the plain view writes a line. */
const FRAME_MS = 100;
const SILENCE_MS = 15_000;

/** How much of a cause is shown in one line; the record has all of it. */
const CAUSE_LENGTH = 160;

/** Why a cell got its verdict, in one line. */
function causeOf({ status, expected, notes, record_id, cache }: CellEnded): string {
  if (status === "reused") return (notes[0] ?? `proven by ${record_id}`).slice(0, CAUSE_LENGTH);
  if (status !== "pass") return `${expected ? "as expected: " : ""}${notes[0] ?? ""}`.slice(0, CAUSE_LENGTH);
  return `${expected ? "" : "NOT as expected: "}${cache.hits} of ${cache.total} steps from the cache`;
}

/** Updates the lines after an event. Gives the id of a cell whose shown stage has changed. */
function follow(lines: ViewLines, event: RunEvent): string | undefined {
  switch (event.type) {
    case "run-started":
      lines.begin(event.stages, event.cells);
      return undefined;
    case "stage-started":
      return lines.start(event.cell_id, event.stage) ? event.cell_id : undefined;
    case "progress":
      lines.progress(event);
      return undefined;
    case "stage-ended":
      return lines.stop(event.cell_id, event.stage) ? event.cell_id : undefined;
    case "cell-ended":
      lines.finish(event.cell_id, event.status, causeOf(event));
      return undefined;
    default:
      return undefined;
  }
}

/** A line when a cell's stage changes, one when it ends, and one after 15 seconds of silence. */
function createPlainView({ stream, clock }: ViewOptions): View {
  const lines = createLines(clock);
  let last = clock.now();
  let closed = false;
  const write = (text: string) => {
    last = clock.now();
    stream.write(`${oneLine(text)}\n`);
  };
  const stop = clock.every(1000, () => {
    if (closed || clock.now() - last < SILENCE_MS) return;
    const running = lines.all().filter((cell) => cell.state !== null && cell.verdict === null);
    const told = running.map(({ id, state, started }) => {
      const steps = state?.steps ? ` ${state.step ?? 0}/${state.steps}` : "";
      return `${id} ${state?.stage}${steps} (${elapsed(clock.now() - (started ?? 0))})`;
    });
    if (told.length > 0) write(`still running: ${told.join(", ")}`);
  });
  return {
    take: (event) => {
      if (closed) return;
      const changed = follow(lines, event);
      if (changed !== undefined) write(`${changed}: ${lines.of(changed).state?.stage}`);
      if (event.type === "note") write(event.text);
      if (event.type === "cell-repacked") write(`${event.cell_id}: repacked: ${repackText(event)}`);
      if (event.type !== "cell-ended") return;
      const { id, started, ended, verdict, text } = lines.of(event.cell_id);
      write(`${id}: ${verdict} (${elapsed((ended ?? 0) - (started ?? 0))})${text && ` ${text}`}`);
    },
    close: () => {
      closed = true;
      stop();
    },
  };
}

async function createTerminalView({ stream, color, clock }: ViewOptions): Promise<View> {
  const [{ createLogUpdate }, { default: stringWidth }, { default: picocolors }] = await Promise.all([
    import("log-update"),
    import("string-width"),
    import("picocolors"),
  ]);
  const log = createLogUpdate(stream);
  const paint = picocolors.createColors(color);
  const lines = createLines(clock);
  let closed = false;
  const frame = (rows: number) => {
    const size = { columns: stream.columns || 80, rows };
    return drawFrame(lines.all(), { now: clock.now(), size, paint, width: stringWidth });
  };
  const draw = () => {
    if (!closed) log(frame(stream.rows || 24));
  };
  const stop = clock.every(FRAME_MS, draw);
  draw();
  return {
    take: (event) => {
      if (closed) return;
      follow(lines, event);
      if (event.type === "note") log.persist(oneLine(event.text));
      if (event.type === "cell-repacked")
        log.persist(oneLine(`${event.cell_id}: repacked: ${repackText(event)}`));
      if (event.type === "note" || event.type === "cell-ended") draw();
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

/** The live view: on a terminal one line per cell, redrawn in place; elsewhere plain lines. Writes only to `stream`. */
export async function createView(options: ViewOptions): Promise<View> {
  return options.interactive ? createTerminalView(options) : createPlainView(options);
}
