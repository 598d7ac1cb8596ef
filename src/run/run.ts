import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { baseKey, type BaseRef, type BaseResolution, resolveBases } from "../build/base.ts";
import { FactoryError } from "../errors.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import { recordId } from "../records/record-id.ts";
import type { RecordResult } from "../schemas/types.ts";
import { attempt } from "./attempt.ts";
import { selectPlatforms } from "./platforms.ts";
import { recordOf } from "./record.ts";
import { noFindings } from "./failure.ts";
import type { Failure, Findings, RunDeps, RunSettings } from "./types.ts";

/** What one cell came to. */
export interface CellResult {
  cell_id: string;
  manifest_id: string;
  platform: string;
  status: "pass" | "fail" | "error";
  /** Whether the status is what the plan declares. */
  expected: boolean;
  stage: RecordResult["stage"];
  class: RecordResult["class"];
  record_id: string;
  /** Path of the record, from the workspace's root. */
  record: string;
  image: { ref: string; digest: string } | null;
  duration_ms: number;
  notes: string[];
}

export interface RunOutcome {
  results: CellResult[];
  summary: { pass: number; fail: number; error: number; reused: number; unexpected: number };
  /** Cells that were not run because the engine cannot build their platform. */
  left_out: { cell_id: string; platform: string }[];
  interrupted: boolean;
}

/** How much of a cause fits into a line of the live view; the record has it whole. */
const CAUSE_LENGTH = 160;

interface RunRequest extends RunSettings {
  planned: Planned;
  platform?: string;
  /** How many cells at once. */
  jobs: number;
  /** Versions of Factory and Node, for the record. */
  versions: Record<string, string>;
}

/**
 * Resolves the bases with a folder of its own for what is written meanwhile. While the first builds wait for the engine,
 * what the later stages need is made ready from there: `ready` settles when the folder is gone.
 */
async function resolveIn(
  folder: string,
  bases: readonly BaseRef[],
  deps: RunDeps,
  signal: AbortSignal | undefined,
) {
  const layouts: { layout: string; digest: string }[] = [];
  const layers = deps.layers && {
    lend: deps.layers.lend,
    keep: (layout: string, digest: string) => {
      deps.layers?.keep(layout, digest);
      layouts.push({ layout, digest });
    },
  };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const resolved = await resolveBases(bases, { ...deps, layers, folder }, { signal });
    const platforms = [...new Set(bases.map(({ platform }) => platform))];
    return { resolved, ready: deps.prepare(layouts, platforms, signal).finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The registry cache, unless it is on a loopback port where nothing listens: waiting for it would only cost time. */
async function usableCache(repository: string | null, deps: RunDeps): Promise<string | null> {
  if (repository === null || (await deps.registryAnswers(repository))) return repository;
  deps.onNote(`the cache registry ${repository} does not answer: building without it`);
  return null;
}

function resolveFailure({ error }: BaseResolution): Findings & { stage: "resolve" } {
  const message = error?.message ?? "cannot be resolved";
  const failure: Failure = {
    status: "error",
    class: error?.class ?? "base",
    what: `base image: ${message}`,
    log_excerpt: [message],
  };
  return { stage: "resolve", ...noFindings(), failure };
}

/**
 * Runs cells, several at once: resolve the base, then one attempt each, then its record. A failing cell does not
 * stop the others. When the signal fires, running cells end, each with a record, and no further one is started.
 * @throws FactoryError for what no single cell can be blamed for: no engine, no such platform, a full disk
 */
export async function runCells(request: RunRequest, deps: RunDeps): Promise<RunOutcome> {
  const { root, jobs, signal, planned } = request;
  const [versions, able, source] = await Promise.all([
    deps.buildx.version(),
    deps.buildx.platforms(),
    deps.source(),
    deps.sweep(),
  ]);
  const { cells, leftOut } = selectPlatforms(planned.cells, request.platform, able);
  for (const { cell } of leftOut) {
    deps.onNote(
      `left out ${cell.cell_id}: the engine does not build ${cell.platform} (--platform all insists)`,
    );
  }
  const bases = cells.map(({ cell }) => ({ ref: cell.base.ref, platform: cell.platform }));
  const [{ resolved, ready }, cacheRepository] = await Promise.all([
    resolveIn(join(root, ".factory", "run", `bases-${deps.randomHex()}-${process.pid}`), bases, deps, signal),
    usableCache(request.cacheRepository, deps),
  ]);
  const tools = Object.fromEntries(
    Object.entries({ ...request.versions, ...versions }).filter(
      (pair): pair is [string, string] => pair[1] !== null,
    ),
  );

  const results: CellResult[] = [];
  const bugs: unknown[] = [];
  // What no single cell can be blamed for would meet the next one too.
  let stopped = false;
  const one = async (before: PlannedCell): Promise<void> => {
    if (signal?.aborted || stopped) return;
    const { cell } = before;
    const start = deps.clock.now();
    const record_id = recordId(deps.clock.date(), deps.randomHex());
    const base = resolved.get(baseKey({ ref: cell.base.ref, platform: cell.platform }));
    const pinned = base?.pinnable && base.digest !== null ? before.pin(base.digest) : before;
    const folder = join(root, ".factory", "run", `${record_id}-${process.pid}`);
    const trail = base?.error
      ? resolveFailure(base)
      : await attempt(pinned, folder, { ...request, cacheRepository }, deps);
    const duration_ms = Math.round(deps.clock.now() - start);
    const about = {
      record_id,
      plan_id: planned.plan_id,
      tested_at: deps.clock.date(),
      duration_ms,
      tools,
      source,
    };
    const record = recordOf(pinned, trail, about);
    const path = await deps.store.add(record);
    if ("bug" in trail) bugs.push(trail.bug);
    const { status, stage, class: failure, expected, notes } = record.result;
    results.push({
      cell_id: cell.cell_id,
      manifest_id: cell.manifest_id,
      platform: cell.platform,
      status,
      expected,
      stage,
      class: failure,
      record_id,
      record: path,
      image: trail.image ? { ref: trail.image.ref, digest: trail.image.digest } : null,
      duration_ms,
      notes,
    });
    const cause =
      trail.failure?.what.slice(0, CAUSE_LENGTH) ??
      `${trail.cache.hits} of ${trail.cache.total} steps from the cache`;
    deps.onFinish(
      cell.cell_id,
      status,
      cell.expect ? `${expected ? "as expected" : "NOT as expected"}: ${cause}` : cause,
    );
  };

  const stop = (error: unknown): never => {
    stopped ||= error instanceof FactoryError;
    throw error;
  };
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(jobs);
  const settled = await Promise.allSettled(cells.map((cell) => limit(() => one(cell).catch(stop))));
  await ready;
  const broken = settled.find((each) => each.status === "rejected");
  if (broken) throw broken.reason;
  if (bugs.length > 0) throw bugs[0];

  const order = new Map(cells.map(({ cell }, at) => [cell.cell_id, at]));
  results.sort((a, b) => (order.get(a.cell_id) ?? 0) - (order.get(b.cell_id) ?? 0));
  const count = (status: string) => results.filter((result) => result.status === status).length;
  return {
    results,
    summary: {
      pass: count("pass"),
      fail: count("fail"),
      error: count("error"),
      reused: 0,
      unexpected: results.filter(({ expected }) => !expected).length,
    },
    left_out: leftOut.map(({ cell }) => ({ cell_id: cell.cell_id, platform: cell.platform })),
    interrupted: signal?.aborted ?? false,
  };
}

/** Chooses cells of a plan by id. @throws FactoryError UNKNOWN_CELL with a "did you mean" */
export function selectCells(
  planned: Planned,
  ids: readonly string[],
  suggest: (id: string, known: string[]) => string | undefined,
): Planned {
  if (ids.length === 0) return planned;
  const byId = new Map(planned.cells.map((one) => [one.cell.cell_id, one]));
  const cells = [...new Set(ids)].map((id) => {
    const found = byId.get(id);
    if (found) return found;
    const guess = suggest(id, [...byId.keys()]);
    throw new FactoryError(
      "UNKNOWN_CELL",
      `there is no cell ${JSON.stringify(id)} in ${planned.plan_id ?? planned.manifest_id}`,
      {
        fix: guess ? `did you mean ${guess}?` : "see `factory plan`",
      },
    );
  });
  return { ...planned, cells };
}
