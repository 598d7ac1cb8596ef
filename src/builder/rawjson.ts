/** One node of BuildKit's work: a step of the Dockerfile, or something of BuildKit's own. Times are RFC 3339. */
export interface Vertex {
  digest: string;
  name: string;
  started?: string;
  completed?: string;
  cached?: boolean;
  error?: string;
}

/** Progress within a vertex, such as a layer being fetched. */
export interface VertexStatus {
  id: string;
  vertex: string;
  current: number;
  started?: string;
  completed?: string;
}

/** A piece of a step's output; it may end in the middle of a line, and of a character. */
export interface VertexLog {
  vertex: string;
  stream: number;
  /** base64 */
  data: string;
  timestamp: string;
}

export interface VertexWarning {
  vertex: string;
  /** base64 */
  short: string;
}

/** One line of `--progress=rawjson`: events, or plain text. */
export type ProgressLine =
  | {
      kind: "events";
      vertexes: Vertex[];
      statuses: VertexStatus[];
      logs: VertexLog[];
      warnings: VertexWarning[];
    }
  | { kind: "text"; text: string };

type Fields = Record<string, unknown>;

function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === "string" ? value : "";
}

/** A time that is missing, empty or not text is undefined. */
function timeOf(fields: Fields, key: string): string | undefined {
  return textOf(fields, key) || undefined;
}

function numberOf(fields: Fields, key: string): number {
  const value = fields[key];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function objectsIn(value: unknown): Fields[] {
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is Fields => typeof one === "object" && one !== null && !Array.isArray(one));
}

function vertexOf(fields: Fields): Vertex {
  return {
    digest: textOf(fields, "digest"),
    name: textOf(fields, "name"),
    started: timeOf(fields, "started"),
    completed: timeOf(fields, "completed"),
    cached: fields.cached === true,
    error: textOf(fields, "error") || undefined,
  };
}

function statusOf(fields: Fields): VertexStatus {
  return {
    id: textOf(fields, "id"),
    vertex: textOf(fields, "vertex"),
    current: numberOf(fields, "current"),
    started: timeOf(fields, "started"),
    completed: timeOf(fields, "completed"),
  };
}

function logOf(fields: Fields): VertexLog {
  return {
    vertex: textOf(fields, "vertex"),
    stream: numberOf(fields, "stream"),
    data: textOf(fields, "data"),
    timestamp: textOf(fields, "timestamp"),
  };
}

/** Reads one line. Anything but a JSON object is text; fields of the wrong type count as missing. Never throws. */
export function parseProgressLine(text: string): ProgressLine {
  if (!text.startsWith("{")) return { kind: "text", text };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { kind: "text", text };
  }
  const fields = parsed as Fields;
  return {
    kind: "events",
    vertexes: objectsIn(fields.vertexes)
      .map(vertexOf)
      .filter((vertex) => vertex.digest !== ""),
    statuses: objectsIn(fields.statuses).map(statusOf),
    logs: objectsIn(fields.logs).map(logOf),
    warnings: objectsIn(fields.warnings).map((one) => ({
      vertex: textOf(one, "vertex"),
      short: textOf(one, "short"),
    })),
  };
}
