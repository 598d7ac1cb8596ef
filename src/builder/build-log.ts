import { createLineAssembler, visibleLine, type LineAssembler } from "./log-lines.ts";
import type { Vertex, VertexLog, VertexStatus, VertexWarning } from "./rawjson.ts";

/** Renders BuildKit's events as the text of the kept log: `#7 [core 2/3] RUN …`, `#7 0.512 text`, `#7 DONE 1.2s`. */
export interface BuildLog {
  vertex: (vertex: Vertex) => void;
  status: (status: VertexStatus) => void;
  log: (log: VertexLog) => void;
  warning: (warning: VertexWarning) => void;
  text: (text: string) => void;
}

/** Whether a vertex was only stopped, since another one failed. */
export function isCanceled(error: string): boolean {
  return /^(context canceled(: )?)+$/.test(error);
}

/** How many pieces of output of one vertex are remembered, to recognise a replayed piece. */
const REMEMBERED = 1024;

interface Section {
  number: number;
  name: string;
  titled: boolean;
  ended: boolean;
  failed: boolean;
  started: number;
  streams: Map<number, LineAssembler>;
  seen: Set<string>;
  shown: Set<string>;
}

function milliseconds(time: string | undefined): number {
  return time === undefined ? Number.NaN : Date.parse(time);
}

/** Seconds between two times in milliseconds; "" if one of them is not known. */
function seconds(from: number, to: number, digits: number): string {
  const span = (to - from) / 1000;
  return Number.isFinite(span) ? Math.max(0, span).toFixed(digits) : "";
}

/** Remembers a key; false if it was known already. Forgets the oldest beyond the limit. */
function remember(keys: Set<string>, key: string): boolean {
  if (keys.has(key)) return false;
  keys.add(key);
  if (keys.size > REMEMBERED) {
    for (const oldest of keys) {
      keys.delete(oldest);
      break;
    }
  }
  return true;
}

/**
 * BuildKit reports shared work once for each target, and may replay a piece of output: titles, ends and pieces that were
 * already written are left out. Memory grows only with the number of vertices.
 */
export function createBuildLog(write: (line: string) => void): BuildLog {
  const sections = new Map<string, Section>();

  const sectionOf = (digest: string): Section => {
    let section = sections.get(digest);
    if (!section) {
      section = {
        number: 0,
        name: digest,
        titled: false,
        ended: false,
        failed: false,
        started: Number.NaN,
        streams: new Map(),
        seen: new Set(),
        shown: new Set(),
      };
      sections.set(digest, section);
    }
    return section;
  };

  let titles = 0;
  const put = (section: Section, text: string) => {
    if (!section.titled) {
      section.titled = true;
      section.number = ++titles;
      write(`#${section.number} ${section.name}`);
    }
    if (text !== "") write(`#${section.number} ${text}`);
  };

  const end = (section: Section, vertex: Vertex) => {
    for (const stream of section.streams.values()) for (const line of stream.end()) put(section, line);
    section.streams.clear();
    section.ended = true;
    if (vertex.error !== undefined) {
      section.failed = true;
      put(
        section,
        isCanceled(vertex.error)
          ? "CANCELED"
          : `ERROR: ${vertex.error.split("\n").map(visibleLine).join(" ")}`,
      );
    } else if (vertex.cached) put(section, "CACHED");
    else put(section, `DONE ${seconds(section.started, milliseconds(vertex.completed), 1)}s`);
  };

  return {
    vertex: (vertex) => {
      const section = sectionOf(vertex.digest);
      if (!section.titled && vertex.name !== "")
        section.name = vertex.name.split("\n").map(visibleLine).join(" ");
      if (Number.isNaN(section.started)) section.started = milliseconds(vertex.started);
      if (vertex.started !== undefined) put(section, "");
      if (vertex.completed === undefined && vertex.error === undefined) return;
      if (!section.ended || (vertex.error !== undefined && !section.failed)) end(section, vertex);
    },

    status: (status) => {
      if (status.completed === undefined) return;
      const section = sectionOf(status.vertex);
      if (!remember(section.shown, status.id)) return;
      const size = status.current > 0 ? ` ${status.current}B` : "";
      const took = seconds(milliseconds(status.started), milliseconds(status.completed), 1);
      put(section, `${visibleLine(status.id)}${size} ${took && `${took}s `}done`);
    },

    log: (log) => {
      const section = sectionOf(log.vertex);
      if (!remember(section.seen, `${log.stream} ${log.timestamp} ${log.data}`)) return;
      let stream = section.streams.get(log.stream);
      if (!stream) section.streams.set(log.stream, (stream = createLineAssembler()));
      const at = seconds(section.started, milliseconds(log.timestamp), 3);
      const lines = stream.add(Buffer.from(log.data, "base64"));
      if (section.ended) lines.push(...stream.end());
      for (const line of lines) put(section, at ? `${at} ${line}` : line || " ");
    },

    warning: (warning) => {
      const section = sectionOf(warning.vertex);
      const text = visibleLine(Buffer.from(warning.short, "base64").toString("utf8"));
      if (remember(section.shown, `warning ${text}`)) put(section, `WARNING: ${text}`);
    },

    text: (text) => write(visibleLine(text)),
  };
}
