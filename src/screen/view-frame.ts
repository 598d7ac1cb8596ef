import { stripVTControlCharacters } from "node:util";
import { visible } from "../model/visible.ts";

/** What a cell is doing. */
export interface CellState {
  /** `build`, `smoke`, … */
  stage: string;
  /** In a build: how many steps have ended, and how many there are. */
  step?: number;
  steps?: number;
  /** Whether all steps so far came from the cache. */
  cached?: boolean;
  /** What is happening now, such as the text of the step. */
  detail?: string;
}

export type CellVerdict = "pass" | "fail" | "error" | "reused";

/** A cell as it is shown. Times are milliseconds of the view's clock; null before that moment. */
export interface CellLine {
  id: string;
  started: number | null;
  ended: number | null;
  state: CellState | null;
  verdict: CellVerdict | null;
  text: string;
}

type Paint = (text: string) => string;

export interface FrameOptions {
  now: number;
  size: { columns: number; rows: number };
  paint: { green: Paint; red: Paint; yellow: Paint; cyan: Paint; dim: Paint };
  /** Columns that a text takes on a terminal. */
  width: (text: string) => number;
}

interface Piece {
  text: string;
  paint?: Paint;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Text on one line, without the escape sequences of colours and cursors; other invisible characters are written as escapes. */
export function oneLine(text: string): string {
  return visible(stripVTControlCharacters(text).replace(/\s+/g, " ").trim());
}

/** A duration in milliseconds for people: `4.2s`, `1m05s`, `1h02m`. */
export function elapsed(ms: number): string {
  if (ms < 59_950) return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

/** As much of a text as fits into a number of columns, ending in `…` if something was left out. */
export function cutToWidth(text: string, columns: number, width: (text: string) => number): string {
  if (width(text) <= columns) return text;
  let cut = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const next = width(segment);
    if (used + next > columns - 1) break;
    cut += segment;
    used += next;
  }
  return columns > 0 ? `${cut}…` : "";
}

/** Joins pieces with spaces, cuts the result to the width, and colours what is left of each. */
function fitPieces(pieces: Piece[], columns: number, width: FrameOptions["width"]): string {
  let left = columns;
  const shown: string[] = [];
  for (const { text, paint } of pieces) {
    if (text === "") continue;
    const gap = shown.length > 0 ? 1 : 0;
    if (left - gap <= 0) break;
    const cut = cutToWidth(text, left - gap, width);
    left -= gap + width(cut);
    shown.push(paint ? paint(cut) : cut);
  }
  return shown.join(" ");
}

const MARKS: Record<CellVerdict, { mark: string; color: "green" | "red" | "yellow" | "cyan" }> = {
  pass: { mark: "✓", color: "green" },
  reused: { mark: "=", color: "cyan" },
  fail: { mark: "✗", color: "red" },
  error: { mark: "!", color: "yellow" },
};

function piecesOf(cell: CellLine, name: string, { now, paint }: FrameOptions): Piece[] {
  const time = cell.started === null ? "" : elapsed((cell.ended ?? now) - cell.started).padStart(6);
  if (cell.verdict) {
    const { mark, color } = MARKS[cell.verdict];
    const painted = paint[color];
    return [
      { text: mark, paint: painted },
      { text: name },
      { text: time, paint: paint.dim },
      { text: cell.verdict, paint: painted },
      { text: oneLine(cell.text) },
    ];
  }
  if (!cell.state)
    return [{ text: "·", paint: paint.dim }, { text: name }, { text: "waiting", paint: paint.dim }];
  const { stage, step, steps, cached, detail = "" } = cell.state;
  return [
    { text: "▸", paint: paint.cyan },
    { text: name },
    { text: time, paint: paint.dim },
    { text: oneLine(stage) },
    { text: steps ? `${step ?? 0}/${steps}` : "" },
    { text: cached ? "cached" : "", paint: paint.cyan },
    { text: oneLine(detail), paint: paint.dim },
  ];
}

/** Which cells are left out first if there are too many: those that passed, then those that wait. */
function importance(cell: CellLine): number {
  if (cell.verdict === null) return cell.state ? 0 : 2;
  return cell.verdict === "fail" || cell.verdict === "error" ? 1 : 3;
}

function summary(hidden: CellLine[]): string {
  const waiting = hidden.filter((cell) => cell.verdict === null && !cell.state).length;
  const running = hidden.filter((cell) => cell.verdict === null && cell.state).length;
  const ended = hidden.length - waiting - running;
  const counts: [number, string][] = [
    [running, "running"],
    [waiting, "waiting"],
    [ended, "ended"],
  ];
  const parts = counts.filter(([count]) => count > 0);
  return `… and ${parts.map(([count, what]) => `${count} ${what}`).join(", ")}`;
}

/** The text of one frame: one line per cell, no line wider than the terminal, and no more lines than it has rows. */
export function drawFrame(cells: readonly CellLine[], options: FrameOptions): string {
  const { size, width, paint } = options;
  const columns = Math.max(1, size.columns - 1);
  const rows = Math.max(1, size.rows - 1);
  const fits = cells.length <= rows;
  const ranked = fits ? [...cells] : [...cells].sort((a, b) => importance(a) - importance(b));
  const chosen = new Set(ranked.slice(0, fits ? cells.length : rows - 1));
  const longest = Math.min(
    Math.floor(columns / 2),
    Math.max(0, ...[...chosen].map((cell) => width(cell.id))),
  );
  const lines = cells
    .filter((cell) => chosen.has(cell))
    .map((cell) => {
      const name = cutToWidth(cell.id, longest, width);
      const padded = name + " ".repeat(Math.max(0, longest - width(name)));
      return fitPieces(piecesOf(cell, padded, options), columns, width);
    });
  if (!fits) lines.push(paint.dim(cutToWidth(summary(ranked.slice(rows - 1)), columns, width)));
  return lines.join("\n");
}
