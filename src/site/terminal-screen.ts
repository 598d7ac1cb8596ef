import { createRow, type Piece, type Row } from "./screen-row.ts";
import { createTextStyle } from "./text-style.ts";

/** A row as it is seen when all lines are written. */
export interface ShownRow {
  /** The line of the text that wrote it first; null for a row that goes on from the one above. */
  line: number | null;
  /** When that was, as the text says. */
  at: string;
  pieces: Piece[];
}

/** A terminal that forgets nothing: what leaves its top stays above. */
export interface Screen {
  /** Writes a line and its line break. @param number of the line, from 1 @param at when it came, in the words of the log */
  line: (text: string, number: number, at?: string) => void;
  rows: () => ShownRow[];
  /** How many sequences there were that set titles or links, or ask something of a terminal: they do nothing. */
  ignored: () => number;
}

/** Columns, after which a row goes on in the next. */
const WIDTH = 1024;
/** How many rows at the bottom a cursor can reach. */
const HEIGHT = 100;
const TAB = 8;
/** How many cells may be moved or blanked in all. Then cursor moves and erasing are ignored: no log takes minutes to show. */
const MOST_WORK = 100_000_000;

/** The control characters, those of eight bits among them. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const PLAIN_RUN = /[^\u0000-\u001f\u007f-\u009f]+/y;
const CSI = /([0-?]*)[ -/]*([@-~])/y;
/** Sequences of ESC and one or two characters. */
const SHORT = /[ -/]*[0-~]/y;
const STRING_END = /\u0007|\u001b\\|\u009c/g;

/** What begins a string that a terminal keeps to itself: by the character after ESC, and as one of eight bits. */
const STRING_START = "P]X^_";
const EIGHT_BITS: Readonly<Record<string, string>> = {
  "\u0090": "P",
  "\u0098": "X",
  "\u009b": "[",
  "\u009d": "]",
  "\u009e": "^",
  "\u009f": "_",
};

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/**
 * Shows text as a terminal does: colours, carriage returns, cursor moves and erasing, as in ECMA-48 and xterm. Time and memory grow
 * with the text alone, whatever it says: no number in a sequence reaches further than the screen, and only line breaks, cleared
 * screens and long lines make rows. A cleared screen stays above the new one.
 */
export function createScreen(): Screen {
  const rows: { row: Row; line: number | null; at: string }[] = [];
  const style = createTextStyle();
  let [y, x] = [0, 0];
  let top = 0;
  let saved: { y: number; x: number; restore: () => void } | null = null;
  let ignored = 0;
  let work = 0;
  let now = { number: 1, at: "" };

  const rowAt = (at: number): Row => {
    while (rows.length <= at) rows.push({ row: createRow(), line: null, at: "" });
    return (rows[at] as { row: Row }).row;
  };
  const claim = () => {
    const own = rows[y];
    if (own && own.line === null && own.row.length() === 0) [own.line, own.at] = [now.number, now.at];
  };
  const firstRow = () => Math.max(top, rows.length - HEIGHT);
  const down = () => {
    y += 1;
    rowAt(y);
  };
  const put = (text: string): void => {
    for (let from = 0; from < text.length;) {
      if (x >= WIDTH) {
        down();
        x = 0;
      } else claim();
      let to = Math.min(text.length, from + WIDTH - x);
      if (to < text.length && isHighSurrogate(text.charCodeAt(to - 1))) to -= 1;
      rowAt(y).put(x, text.slice(from, to), style.classes());
      x = to < text.length ? WIDTH : x + to - from;
      from = to;
    }
  };

  const moveTo = (row: number, column: number): void => {
    y = Math.max(firstRow(), Math.min(rows.length - 1, row));
    x = Math.max(0, Math.min(WIDTH - 1, column));
  };
  const erase = (how: number, whole: boolean): void => {
    const row = rowAt(y);
    work += (whole ? HEIGHT : 1) + (how === 1 ? x : 0);
    if (whole && how >= 2) {
      // What is cleared stays above, and a new screen begins.
      top = rows.length - (rows.at(-1)?.row.length() === 0 ? 1 : 0);
      rowAt(top);
      y = top;
      return;
    }
    if (how === 0) row.erase(x, WIDTH);
    else row.erase(0, how === 1 ? x + 1 : WIDTH);
    if (!whole) return;
    if (how === 0)
      for (const below of rows.slice(y + 1)) {
        below.row.erase(0, WIDTH);
        below.line = null;
      }
    else for (let at = firstRow(); at < y; at += 1) rowAt(at).erase(0, WIDTH);
  };
  const moveLines = (count: number, isInsert: boolean): void => {
    const most = Math.min(count, rows.length - y);
    if (isInsert) {
      for (let at = 0; at < most; at += 1) rows.splice(y, 0, { row: createRow(), line: null, at: "" });
      rows.length -= most;
    } else {
      rows.splice(y, most);
      rowAt(Math.max(y, top));
    }
    x = 0;
  };

  const control = (parameters: string, final: string): void => {
    if (final === "m" && !/[<-?]/.test(parameters)) return style.select(parameters);
    const [first = "", second = ""] = parameters.split(";", 2);
    const number = (text: string, otherwise: number) =>
      /^\d{1,9}$/.test(text) && Number(text) > 0 ? Math.min(Number(text), WIDTH) : otherwise;
    const count = number(first, 1);
    const how = number(first, 0);
    rowAt(y);
    if (work > MOST_WORK) {
      ignored += 1;
      return;
    }
    if ("P@XLM".includes(final)) work += WIDTH;
    if (final === "A") moveTo(y - count, x);
    else if (final === "B" || final === "e") moveTo(y + count, x);
    else if (final === "C" || final === "a") moveTo(y, x + count);
    else if (final === "D") moveTo(y, x - count);
    else if (final === "E") moveTo(y + count, 0);
    else if (final === "F") moveTo(y - count, 0);
    else if (final === "G" || final === "`") moveTo(y, count - 1);
    else if (final === "d") moveTo(firstRow() + count - 1, x);
    else if (final === "H" || final === "f") moveTo(firstRow() + count - 1, number(second, 1) - 1);
    else if (final === "K") erase(how, false);
    else if (final === "J") erase(how, true);
    else if (final === "P") rowAt(y).remove(x, count);
    else if (final === "@") rowAt(y).insert(x, Math.min(count, WIDTH - x), WIDTH);
    else if (final === "X") rowAt(y).erase(x, Math.min(WIDTH, x + count));
    else if (final === "L" || final === "M") moveLines(Math.min(count, HEIGHT), final === "L");
    else if (final === "s") save();
    else if (final === "u") restore();
    else ignored += 1;
  };
  const save = () => {
    saved = { y, x, restore: style.save() };
  };
  const restore = () => {
    if (!saved) return;
    moveTo(saved.y, saved.x);
    saved.restore();
  };

  /** Acts on a sequence whose first character is known. @returns where the text goes on */
  const sequence = (text: string, kind: string, from: number, isUnended: () => boolean): number => {
    if (kind === "[") {
      CSI.lastIndex = from;
      const found = CSI.exec(text);
      if (!found) return from;
      control(found[1] ?? "", found[2] ?? "");
      return CSI.lastIndex;
    }
    if (STRING_START.includes(kind)) {
      ignored += 1;
      // One without an end is shown as text: it would take the rest of the log with it.
      if (isUnended()) return from;
      STRING_END.lastIndex = from;
      return STRING_END.exec(text) ? STRING_END.lastIndex : -1;
    }
    if (kind === "7") save();
    else if (kind === "8") restore();
    else if (kind === "M") moveTo(y - 1, x);
    return from;
  };

  const write = (text: string): void => {
    let unended = false;
    for (let at = 0; at < text.length;) {
      PLAIN_RUN.lastIndex = at;
      const [run] = PLAIN_RUN.exec(text) ?? [];
      if (run !== undefined) {
        put(run);
        at += run.length;
        continue;
      }
      const sign = text.charAt(at);
      at += 1;
      if (sign === "\r") x = 0;
      else if (sign === "\b") x = Math.max(0, Math.min(x, WIDTH) - 1);
      else if (sign === "\t") {
        const to = Math.min(WIDTH, (Math.floor(x / TAB) + 1) * TAB);
        if (to > rowAt(y).length()) put(" ".repeat(to - x));
        else x = to;
      } else if (sign === "\u000b" || sign === "\f") down();
      else if (sign === "\u001b" || sign in EIGHT_BITS) {
        let kind = EIGHT_BITS[sign];
        if (kind === undefined) {
          SHORT.lastIndex = at;
          const [short] = SHORT.exec(text) ?? [""];
          if (short === "") continue;
          kind = short;
          at += short.length;
        }
        const next = sequence(text, kind, at, () => unended);
        if (next < 0) unended = true;
        else at = next;
      }
    }
  };

  return {
    line: (text, number, at = "") => {
      now = { number, at };
      rowAt(y);
      if (CONTROL.test(text)) write(text);
      else put(text);
      claim();
      down();
      x = 0;
    },
    rows: () => {
      // Rows at the end that no line has any more were erased.
      const last = rows.findLastIndex(({ row, line }) => line !== null || row.length() > 0);
      return rows.slice(0, last + 1).map(({ row, line, at }) => ({ line, at, pieces: row.pieces() }));
    },
    ignored: () => ignored,
  };
}
