import { createScreen, type Screen, type ShownRow } from "./terminal-screen.ts";

export type StepState = "failed" | "canceled" | "done" | "cached" | "open";

/** A step of a build as its log tells of it, or all that belongs to none. */
export interface LogStep {
  /** BuildKit's number; null for what belongs to no step. */
  number: number | null;
  name: string;
  state: StepState;
  seconds: number | null;
  /** The line of the log that names it. */
  line: number;
  rows: ShownRow[];
}

/** A log, by steps: those that failed come first, then the others as they began. */
export interface ReadLog {
  steps: LogStep[];
  lines: number;
  /** How many bytes in the middle are left out; 0 if none are. */
  leftOut: number;
  /** How many sequences asked something of a terminal and do nothing here. */
  ignored: number;
}

interface OpenStep extends Omit<LogStep, "rows"> {
  screen: Screen;
}

/** What is shown of a very long log: its beginning and its end, in bytes. */
const MOST_HEAD = 4 << 20;
const MOST_TAIL = 12 << 20;
const BREAK = 0x0a;
/** Steps beyond this are shown with what belongs to none: a log that names millions fills no memory. */
const MOST_STEPS = 5000;

const STEP = /^#(\d{1,9}) (.*)$/s;
const OUTPUT = /^(\d{1,9}\.\d{3}) (.*)$/s;
const DONE = /^DONE(?: (\d{1,9}(?:\.\d+)?)s)?$/;

/** The parts of a log that are shown, each with the number of its first line. */
function shownParts(bytes: Buffer): {
  parts: { from: number; text: string }[];
  leftOut: number;
  lines: number;
} {
  const countIn = (part: Buffer) => {
    let count = 0;
    for (let at = part.indexOf(BREAK); at >= 0; at = part.indexOf(BREAK, at + 1)) count += 1;
    return count;
  };
  const lines = countIn(bytes) + (bytes.length > 0 && bytes.at(-1) !== BREAK ? 1 : 0);
  if (bytes.length <= MOST_HEAD + MOST_TAIL)
    return { parts: [{ from: 1, text: bytes.toString("utf8") }], leftOut: 0, lines };
  const cut = bytes.lastIndexOf(BREAK, MOST_HEAD) + 1 || MOST_HEAD;
  const found = bytes.indexOf(BREAK, bytes.length - MOST_TAIL) + 1;
  const on = found > 0 && found < bytes.length ? found : bytes.length - MOST_TAIL;
  const head = bytes.subarray(0, cut);
  return {
    parts: [
      { from: 1, text: head.toString("utf8") },
      { from: countIn(bytes.subarray(0, on)) + 1, text: bytes.subarray(on).toString("utf8") },
    ],
    leftOut: on - cut,
    lines,
  };
}

const RANK: Readonly<Record<StepState, number>> = { failed: 0, canceled: 1, open: 1, done: 1, cached: 1 };

/** Reads the log of a build. Whatever the bytes are, they are shown. */
export function readLog(bytes: Buffer): ReadLog {
  const steps = new Map<number | null, OpenStep>();
  const stepOf = (number: number | null, name: string, line: number): OpenStep => {
    let step = steps.get(number);
    if (!step) {
      step = { number, name, state: "open", seconds: null, line, screen: createScreen() };
      steps.set(number, step);
    }
    return step;
  };
  const take = (text: string, line: number): void => {
    const [, digits, rest = ""] = STEP.exec(text) ?? [];
    const number = digits === undefined ? null : Number(digits);
    if (number === null || (steps.size >= MOST_STEPS && !steps.has(number))) {
      stepOf(null, "Other output", line).screen.line(text, line);
      return;
    }
    if (!steps.has(number)) {
      stepOf(number, rest, line);
      return;
    }
    const step = stepOf(number, "", line);
    const [, at, output = ""] = OUTPUT.exec(rest) ?? [];
    if (at !== undefined) {
      step.screen.line(output, line, at);
      return;
    }
    const done = DONE.exec(rest);
    if (done) {
      step.state = "done";
      step.seconds = done[1] === undefined ? null : Number(done[1]);
    } else if (rest === "CACHED") step.state = "cached";
    else if (rest === "CANCELED") step.state = "canceled";
    else {
      if (rest.startsWith("ERROR: ")) step.state = "failed";
      step.screen.line(rest, line);
    }
  };

  const { parts, leftOut, lines } = shownParts(bytes);
  for (const { from, text } of parts) {
    let line = from;
    for (let at = 0; at < text.length; line += 1) {
      const end = text.indexOf("\n", at);
      const to = end < 0 ? text.length : end;
      take(text.slice(at, text.charAt(to - 1) === "\r" && to > at ? to - 1 : to), line);
      at = to + 1;
    }
  }
  let ignored = 0;
  const read = [...steps.values()].map(({ screen, ...step }): LogStep => {
    ignored += screen.ignored();
    return { ...step, rows: screen.rows() };
  });
  // Array.sort keeps the order of equals.
  return { steps: read.sort((a, b) => RANK[a.state] - RANK[b.state]), lines, leftOut, ignored };
}

/** Parts of a log that one page shows. */
export interface LogPart {
  step: LogStep;
  /** Rows of the step, from and up to. */
  from: number;
  to: number;
}

/** Splits a log into pages of so many rows at most; a long step goes on on the next. At least one page. */
export function logPages(steps: readonly LogStep[], most: number): LogPart[][] {
  const pages: LogPart[][] = [[]];
  let room = most;
  for (const step of steps) {
    let from = 0;
    do {
      if (room === 0) {
        pages.push([]);
        room = most;
      }
      const to = Math.min(step.rows.length, from + room);
      pages.at(-1)?.push({ step, from, to });
      room -= Math.max(1, to - from);
      from = to;
    } while (from < step.rows.length);
  }
  return pages;
}
