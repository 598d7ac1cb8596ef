import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { baseKey, type BaseRef, type BaseResolution, resolveBases } from "../builder/base.ts";
import { FactoryError } from "../errors.ts";
import type { Planned, PlannedCell } from "../plan/cell.ts";
import { waveOrder } from "../plan/waves.ts";
import { recordId } from "../records/record-id.ts";
import type { FactoryRecord, RecordResult } from "../schemas/types.ts";
import { attempt } from "./attempt.ts";
import { noFindings } from "./failure.ts";
import { type Known, knownImage } from "./image.ts";
import { ofPlatform, selectPlatforms } from "./platforms.ts";
import { bakePrefixes } from "./prefixes.ts";
import { recordOf } from "./record.ts";
import { retag } from "./retag.ts";
import type { Failure, Findings, RunDeps, RunSettings } from "./types.ts";

/** What one cell came to. */
export interface CellResult {
  cell_id: string;
  manifest_id: string;
  platform: string;
  /** `reused`: a record proves it, and nothing was built or tested. */
  status: "pass" | "fail" | "error" | "reused";
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

/** What a cell came to that a record proves, and whose image is where it should be. */
function reusedResult({ cell }: PlannedCell): CellResult {
  const { cell_id, manifest_id, platform } = cell;
  const record_id = cell.record_id ?? "";
  return {
    cell_id,
    manifest_id,
    platform,
    status: "reused",
    expected: true,
    stage: "done",
    class: null,
    record_id,
    record: `records/${manifest_id}/${record_id}.json`,
    image: null,
    duration_ms: 0,
    notes: [],
  };
}

function resultOf(record: FactoryRecord, path: string, trail: Pick<Findings, "image">): CellResult {
  const { status, stage, class: failure, expected, notes, duration_ms } = record.result;
  const { cell_id, manifest_id, platform, record_id } = record;
  const image = trail.image ? { ref: trail.image.ref, digest: trail.image.digest } : null;
  return {
    cell_id,
    manifest_id,
    platform,
    status,
    expected,
    stage,
    class: failure,
    record_id,
    record: path,
    image,
    duration_ms,
    notes,
  };
}

/** Why a cell came to its verdict, in one line. */
function causeOf({ cell }: PlannedCell, trail: Findings, expected: boolean): string {
  const cause =
    trail.failure?.what.slice(0, CAUSE_LENGTH) ??
    `${trail.cache.hits} of ${trail.cache.total} steps from the cache`;
  return cell.expect ? `${expected ? "as expected" : "NOT as expected"}: ${cause}` : cause;
}

/**
 * Runs cells, several at once: resolve the base, then one attempt each, then its record. A failing cell does not
 * stop the others. What a record proves is not run again. When the signal fires, running cells end, each with a
 * record, and no further one is started.
 * @throws FactoryError for what no single cell can be blamed for: no engine, no such platform, a full disk
 */
export async function runCells(request: RunRequest, deps: RunDeps): Promise<RunOutcome> {
  const { planned, signal } = request;
  const cells = ofPlatform(planned.cells, request.platform);
  const reused = cells.filter(({ cell }) => cell.action === "reuse");
  for (const { cell } of reused) deps.onFinish(cell.cell_id, "reused", `proven by ${cell.record_id}`);
  const results = reused.map(reusedResult);
  const work = cells.filter(({ cell }) => cell.action !== "reuse");
  const leftOut = work.length === 0 ? [] : await runWork(work, request, deps, (one) => results.push(one));

  const order = new Map(planned.cells.map(({ cell }, at) => [cell.cell_id, at]));
  results.sort((a, b) => (order.get(a.cell_id) ?? 0) - (order.get(b.cell_id) ?? 0));
  const count = (status: string) => results.filter((result) => result.status === status).length;
  return {
    results,
    summary: {
      pass: count("pass"),
      fail: count("fail"),
      error: count("error"),
      reused: count("reused"),
      unexpected: results.filter(({ expected }) => !expected).length,
    },
    left_out: leftOut.map(({ cell }) => ({ cell_id: cell.cell_id, platform: cell.platform })),
    interrupted: signal?.aborted ?? false,
  };
}

/** Runs the cells that no record proves as they are. Gives those that the engine cannot build. */
async function runWork(
  work: readonly PlannedCell[],
  request: RunRequest,
  deps: RunDeps,
  onResult: (result: CellResult) => void,
): Promise<PlannedCell[]> {
  const { root, jobs, signal } = request;
  const [versions, able, source] = await Promise.all([
    deps.buildx.version(),
    deps.buildx.platforms(),
    deps.source(),
    deps.sweep(),
  ]);
  const { cells, leftOut } = selectPlatforms(work, request.platform, able);
  for (const { cell } of leftOut) {
    deps.onNote(
      `left out ${cell.cell_id}: the engine does not build ${cell.platform} (--platform all insists)`,
    );
  }
  const bases = cells.flatMap(({ cell }) =>
    cell.base.digest === null ? [{ ref: cell.base.ref, platform: cell.platform }] : [],
  );
  const [{ resolved, ready }, cacheRepository] = await Promise.all([
    resolveIn(join(root, ".factory", "run", `bases-${deps.randomHex()}-${process.pid}`), bases, deps, signal),
    usableCache(request.cacheRepository, deps),
  ]);
  const tools = Object.fromEntries(
    Object.entries({ ...request.versions, ...versions }).filter(
      (pair): pair is [string, string] => pair[1] !== null,
    ),
  );
  const pinnedOf = (before: PlannedCell): { planned: PlannedCell; base: BaseResolution | undefined } => {
    const base = resolved.get(baseKey({ ref: before.cell.base.ref, platform: before.cell.platform }));
    const pin = before.cell.base.digest === null && base?.pinnable && base.digest !== null;
    return { planned: pin ? before.pin(base.digest ?? "") : before, base };
  };

  const bugs: unknown[] = [];
  // What no single cell can be blamed for would meet the next one too.
  let stopped = false;
  const one = async (before: PlannedCell, settings: RunSettings): Promise<void> => {
    if (signal?.aborted || stopped) return;
    const start = deps.clock.now();
    const record_id = recordId(deps.clock.date(), deps.randomHex());
    const { planned, base } = pinnedOf(before);
    const { cell } = planned;
    const known: Known | null = cell.action === "build" ? null : await knownImage(planned, deps, signal);
    const again = known && cell.action === "retag" ? await retag(planned, known, settings, deps) : null;
    if (again) {
      const record = again.record(record_id);
      const path = await deps.store.add(record);
      onResult({
        ...resultOf(record, path, record),
        status: "reused",
        duration_ms: Math.round(deps.clock.now() - start),
      });
      deps.onFinish(cell.cell_id, "reused", `proven by ${known?.record.record_id}, tagged anew`);
      return;
    }
    const folder = join(root, ".factory", "run", `${record_id}-${process.pid}`);
    const trail = base?.error
      ? resolveFailure(base)
      : await attempt(planned, folder, cell.action === "retest" ? known : null, settings, deps);
    const record = recordOf(planned, trail, {
      record_id,
      plan_id: cell.plan_ids[0] ?? null,
      tested_at: deps.clock.date(),
      duration_ms: Math.round(deps.clock.now() - start),
      tools,
      source,
    });
    const path = await deps.store.add(record);
    if ("bug" in trail) bugs.push(trail.bug);
    onResult(resultOf(record, path, trail));
    const { status, expected } = record.result;
    deps.onFinish(cell.cell_id, status, causeOf(planned, trail, expected));
  };

  const stop = (error: unknown): never => {
    stopped ||= error instanceof FactoryError;
    throw error;
  };
  const settings = {
    ...request,
    cacheRepository,
    prefixesBaked: cacheRepository !== null && cells.length > 1,
  };
  const { default: pLimit } = await import("p-limit");
  const limit = pLimit(jobs);
  const prefixes = settings.prefixesBaked
    ? limit(() =>
        bakePrefixes(
          cells.map((cell) => pinnedOf(cell).planned),
          settings,
          deps,
        ),
      )
    : Promise.resolve();
  const settled = await Promise.allSettled([
    prefixes,
    ...waveOrder(cells).map((cell) => limit(() => one(cell, settings).catch(stop))),
  ]);
  await ready;
  const broken = settled.find((each) => each.status === "rejected");
  if (broken) throw broken.reason;
  if (bugs.length > 0) throw bugs[0];
  return leftOut;
}
