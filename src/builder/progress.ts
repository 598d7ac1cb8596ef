import { createBuildLog, isCanceled } from "./build-log.ts";
import { withoutUserinfo } from "../model/userinfo.ts";
import { withoutNetwork } from "../stitch/network.ts";
import { visibleLine } from "./log-lines.ts";
import { parseProgressLine, type Vertex } from "./rawjson.ts";

/** The state of a build. Steps are the Dockerfile's instructions that do work, so FROM is not one. */
export interface Snapshot {
  /** The Dockerfile stage of the latest reported step; null before the first, and in a Dockerfile with one stage. */
  stage: string | null;
  /** How many steps have ended. */
  step: number;
  steps: number;
  /** Whether at least one step has ended, and all ended steps came from the cache. */
  cached: boolean;
  /** What is happening, in BuildKit's words: `RUN …`, `exporting to image`. */
  current: string | null;
}

/** A step of the Dockerfile that is over. */
export interface StepPart {
  /** BuildKit's name for it, such as `[core 2/3] RUN make`. */
  part: string;
  status: "pass" | "fail" | "cached";
  /** Milliseconds since 1970, by the builder's clock. */
  started: number;
  duration_ms: number;
}

export interface Progress {
  /** Takes one line of `--progress=rawjson`. Never throws. */
  line: (text: string) => void;
  snapshot: () => Snapshot;
  /** Steps, and how many of them came from the cache; those in `ranBefore` do not count as hits. */
  cache: (ranBefore?: ReadonlySet<string>) => { hits: number; total: number };
  /**
   * The steps that were run to their end and not taken from the cache, by names that are the same in another build of the
   * same Dockerfile: a vertex's digest changes with each build, since it includes the session's id.
   */
  ran: () => string[];
  /** The digest of the exported image manifest; null if BuildKit named none or several. */
  exportedManifest: () => string | null;
  /** The steps that have ended, in the order in which they began. One that was stopped since another failed has not ended. */
  parts: () => StepPart[];
  /** BuildKit's names for what it is doing now. */
  underWay: () => string[];
  /** Why buildx failed, in its own words, from its last `ERROR:` line on; without one, the last lines of plain text. */
  errorText: () => string;
}

interface ProgressOptions {
  /** The targets of the bake: if there are several, each name starts with its target's. */
  targets?: readonly string[];
  /** Replaces secrets in all that is kept, shown or told; before anything is cut. Default: those in URLs. */
  mask?: (text: string) => string;
  /** Gets each line of the kept log. */
  onLog?: (line: string) => void;
}

interface StepName {
  /** Without the target's name in front. */
  name: string;
  stage: string | null;
  instruction: string;
}

/**
 * A step of the Dockerfile. In a bake of several targets it can be several vertices, since a COPY's digest depends on its
 * target's session: then one of them does the work, and the others end as cached or do not end.
 */
interface Step {
  name: string;
  stage: string | null;
  /** Digests of vertices that ended, by how they ended. */
  ran: Set<string>;
  cached: Set<string>;
  /** When the vertex that did the work began and ended; of one that came from the cache, where none did. */
  times: Omit<StepPart, "part"> | null;
}

/** Whether a step came from the cache: one of its vertices says so, and none did the work. */
const isHit = ({ ran, cached }: Step) => ran.size === 0 && cached.size > 0;
const hasEnded = ({ ran, cached }: Step) => ran.size + cached.size > 0;

/** Plain-text lines that are remembered for `errorText`, and the longest part of each. */
const TEXT_LINES = 50;
const TEXT_LENGTH = 4096;

const STEP_NAME = /^\[(?:([^\]]*) )?(\d+)\/(\d+)\] (.*)$/s;

function onOneLine(text: string): string {
  return text.split("\n").map(visibleLine).join(" ");
}

/** `[core 2/3] RUN x` → its stage and instruction; null for FROM and for what is not a step of the Dockerfile. */
function readStep(vertexName: string, severalTargets: boolean): StepName | null {
  const match = STEP_NAME.exec(vertexName);
  if (!match) return null;
  const words = (match[1] ?? "").split(" ").filter(Boolean);
  if (severalTargets) words.shift();
  const instruction = match[4] ?? "";
  if (/^FROM\b/i.test(instruction)) return null;
  const stage = words.at(-1);
  return {
    name: `[${[...words, `${match[2]}/${match[3]}`].join(" ")}] ${instruction}`,
    stage: stage === undefined || stage.includes("/") ? null : stage,
    instruction,
  };
}

/** When a vertex began and ended, and how; null while it has not ended, and where it was stopped. */
function timesOf({ started, completed, cached, error }: Vertex): Step["times"] {
  const [from, to] = [Date.parse(started ?? ""), Date.parse(completed ?? "")];
  if (Number.isNaN(from) || Number.isNaN(to) || (error !== undefined && isCanceled(error))) return null;
  const status = error !== undefined ? "fail" : cached ? "cached" : "pass";
  return { status, started: from, duration_ms: Math.max(0, Math.round(to - from)) };
}

/** A pure reducer over the lines of one bake. Its memory grows only with the number of vertices. */
export function createProgress({
  targets = [],
  mask = withoutUserinfo,
  onLog = () => {},
}: ProgressOptions = {}): Progress {
  const safe = (text: string) => withoutNetwork(mask(text));
  const log = createBuildLog((line) => onLog(mask(line)));
  const steps = new Map<string, Step>();
  const texts: string[] = [];
  /** Names of the running vertices, by digest. */
  const underWay = new Map<string, string>();
  let stage: string | null = null;
  let current: string | null = null;
  const manifests = new Set<string>();

  const takeVertex = (told: Vertex) => {
    const vertex = { ...told, name: safe(told.name) };
    log.vertex(vertex);
    if (vertex.completed !== undefined || vertex.error !== undefined) underWay.delete(vertex.digest);
    else if (vertex.started !== undefined) underWay.set(vertex.digest, vertex.name);
    const read = readStep(vertex.name, targets.length > 1);
    if (!read) {
      if (vertex.started !== undefined) current = onOneLine(vertex.name.replace(/^\[[^\]]*\] /, ""));
      return;
    }
    const step = steps.get(read.name) ?? {
      name: read.name,
      stage: read.stage,
      ran: new Set(),
      cached: new Set(),
      times: null,
    };
    steps.set(read.name, step);
    const times = timesOf(vertex);
    if (times && (step.times === null || step.times.status === "cached")) step.times = times;
    if (vertex.cached) {
      step.cached.add(vertex.digest);
      step.ran.delete(vertex.digest);
    } else if (
      vertex.completed !== undefined &&
      vertex.error === undefined &&
      !step.cached.has(vertex.digest)
    ) {
      step.ran.add(vertex.digest);
    }
    if (vertex.started !== undefined) {
      stage = step.stage;
      current = onOneLine(read.instruction);
    }
  };

  const takeText = (told: string) => {
    const text = safe(told);
    log.text(text);
    texts.push(visibleLine(text.slice(0, TEXT_LENGTH)));
    if (texts.length > TEXT_LINES) texts.shift();
  };

  return {
    line: (text) => {
      const line = parseProgressLine(text);
      if (line.kind === "text") return takeText(line.text);
      line.vertexes.forEach(takeVertex);
      for (const status of line.statuses) {
        log.status(status);
        const exported = /^exporting manifest (sha256:[a-f0-9]{64})$/.exec(status.id);
        if (exported?.[1]) manifests.add(exported[1]);
      }
      line.warnings.forEach(log.warning);
      line.logs.forEach(log.log);
    },

    snapshot: () => {
      const ended = [...steps.values()].filter(hasEnded);
      const cached = ended.length > 0 && ended.every(isHit);
      return { stage, step: ended.length, steps: steps.size, cached, current };
    },

    cache: (ranBefore = new Set()) => {
      const hits = [...steps.values()].filter((step) => isHit(step) && !ranBefore.has(step.name));
      return { hits: hits.length, total: steps.size };
    },

    ran: () => [...steps.values()].filter(({ ran }) => ran.size > 0).map((step) => step.name),

    parts: () =>
      [...steps.values()]
        .flatMap(({ name, times }) => (times === null ? [] : [{ part: onOneLine(name), ...times }]))
        .sort((a, b) => a.started - b.started),

    exportedManifest: () => (manifests.size === 1 ? ([...manifests][0] ?? null) : null),

    underWay: () => [...underWay.values()],

    errorText: () => {
      const from = texts.findLastIndex((text) => text.startsWith("ERROR: "));
      return texts.slice(Math.max(0, from)).join("\n").trim();
    },
  };
}
