import { visibleLines } from "../model/visible.ts";

/** Colours for text; without colours, functions that change nothing. */
export type Palette = Record<"red" | "green" | "yellow" | "cyan" | "dim" | "bold", (text: string) => string>;

/** The SGR numbers that start and end each colour. */
const CODES: Record<keyof Palette, readonly [open: number, close: number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
};

const OURS = new RegExp(`(\u001b\\[(?:${[...new Set(Object.values(CODES).flat())].join("|")})m)`);

export function paletteOf(on: boolean): Palette {
  const paint = ([open, close]: readonly [number, number]) =>
    on ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text;
  return {
    red: paint(CODES.red),
    green: paint(CODES.green),
    yellow: paint(CODES.yellow),
    cyan: paint(CODES.cyan),
    dim: paint(CODES.dim),
    bold: paint(CODES.bold),
  };
}

/** Whether a stream gets colours: if it is a terminal, unless $NO_COLOR, $TERM=dumb or --no-color say no; $FORCE_COLOR wins. */
export function takesColor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv, wanted: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = env;
  if (!wanted || (NO_COLOR !== undefined && NO_COLOR !== "")) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && TERM !== "dumb";
}

/**
 * Lines that are safe to print: the colours of a palette stay, and every other character that a terminal may act on, or
 * that is invisible, is written as an escape.
 */
export function printable(text: string, colored: boolean): string {
  if (!colored) return visibleLines(text);
  const parts = text.split(OURS);
  return parts.map((part, at) => (at % 2 === 1 ? part : visibleLines(part))).join("");
}
