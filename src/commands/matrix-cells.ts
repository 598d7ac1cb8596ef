import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { type Matrix, type MatrixCell, matrixOf, type Placed } from "../model/proof-matrix.ts";
import { quoted, visible } from "../model/visible.ts";
import { valueText } from "../model/value.ts";
import { openStore } from "../pipeline/open-store.ts";
import type { PlannedCell } from "../plan/cell.ts";
import type { Attempts } from "../plan/decide/attempts.ts";
import { statesOf } from "../plan/decide/cell-states.ts";
import { planCells } from "../plan/planner.ts";
import { requestsOf } from "../plan/requests.ts";
import type { PlanRequest } from "../plan/space.ts";
import type { RecordSummary } from "../records/list-request.ts";
import { valueOrder } from "../catalog/schemes/value-order.ts";
import type { Context } from "./context.ts";

export interface MatrixOptions {
  manifestId: string;
  rows: string;
  cols: string;
  per?: string;
  locked?: boolean;
}

/** What a cell, or a record of one, is made of. */
type Made = Pick<PlannedCell["cell"], "fragments" | "platform" | "args" | "named"> & { base: string };

/** For planning alone: what is known is asked for later, when the digests of all images are. */
const NOTHING: Attempts = {
  withVerdictKey: () => [],
  withBuildKey: () => [],
  inOtherLayers: () => [],
  ofCell: () => [],
  ofManifest: () => [],
  read: () => Promise.reject(new Error("there is nothing to read")),
  problems: () => Promise.resolve([]),
  lost: () => null,
  pruned: () => null,
  nameOf: ({ record_id }) => record_id,
};

/** The value that a cell has on an axis; undefined if it has none. */
function valueOn(axis: string, { fragments, platform, base, args, named }: Made): string | undefined {
  if (axis === "platform") return platform;
  if (axis === "base") return base;
  if (axis.startsWith("args.")) {
    const value = args[axis.slice("args.".length)];
    return value === undefined ? undefined : valueText(value);
  }
  return fragments[axis] ?? named?.[axis];
}

function madeOf({ cell }: PlannedCell): Made {
  return { ...cell, base: cell.base.ref };
}

/** The cells of every plan over a manifest, or of what is named, with the digests of the images that they read. */
async function cellsOf(
  context: Context,
  manifestId: string,
  { locked, requests }: { locked: boolean; requests?: readonly PlanRequest[] },
): Promise<PlannedCell[]> {
  const catalog = await context.catalog();
  // An unknown manifest is one more than a filter that lets nothing through.
  const { manifest_id } = catalog.manifest(manifestId).document;
  const world = await context.world();
  const never = () => Promise.reject(new Error("that is not asked"));
  const planned = await planCells(
    catalog,
    {
      requests: requests ?? requestsOf(catalog, { all: true, filter: [`manifest=${manifest_id}`] }),
      locked,
      reuse: true,
      force: false,
      needPushed: false,
      cells: [],
      chosen: true,
    },
    {
      now: context.now(),
      environment: context.environment,
      baseDigests: async (bases) => {
        const found = await world.baseDigests(bases, { pull: false, signal: context.signal });
        return new Map(
          [...found].flatMap(([key, { digest, pinnable }]) =>
            pinnable && digest !== null ? [[key, digest]] : [],
          ),
        );
      },
      attempts: () => Promise.resolve(NOTHING),
      places: {
        engineTags: () => Promise.resolve(null),
        engineHolds: never,
        served: () => Promise.resolve(undefined),
      },
      workspaceAt: never,
      exists: () => true,
      note: () => undefined,
    },
  );
  return planned.cells;
}

/** The newest verdict on each cell that records tell of and no plan has today. */
function unplanned(records: readonly RecordSummary[], planned: ReadonlySet<string>): RecordSummary[] {
  const newest = new Map<string, RecordSummary>();
  for (const record of records)
    if (record.status !== "error" && !planned.has(record.cell_id) && !newest.has(record.cell_id))
      newest.set(record.cell_id, record);
  return [...newest.values()];
}

/**
 * What is known of the cells of a manifest that are planned today.
 * @param requests what to plan; every plan over the manifest by default
 * @throws FactoryError as planCells and decide
 */
export async function statesFor(
  context: Context,
  manifestId: string,
  locked: boolean,
  requests?: readonly PlanRequest[],
): Promise<{
  all: readonly PlannedCell[];
  own: { planned: PlannedCell; cell: MatrixCell }[];
  states: MatrixCell[];
}> {
  const catalog = await context.catalog();
  const all = await cellsOf(context, manifestId, { locked, requests });
  const world = await context.world();
  const manifests = [...new Set(all.map(({ cell }) => cell.manifest_id))];
  const attempts = await world.attempts(catalog.root, manifests, { note: context.say, strict: false });
  const { states, problems } = await statesOf(all, {
    attempts,
    now: context.now(),
    maxAge: ({ maxAge }) => maxAge,
  });
  for (const { record, what } of problems) context.say(`warning: ${record}: ${visible(what)}`);
  const own = all.flatMap((planned, at) => {
    const cell = states[at];
    return cell && planned.cell.manifest_id === manifestId ? [{ planned, cell }] : [];
  });
  return { all, own, states: own.map(({ cell }) => cell) };
}

/** What is known of the cells of a manifest, by the values of two axes. @throws FactoryError USAGE, and as planCells and decide */
export async function matrixFor(
  context: Context,
  { manifestId, rows, cols, per, locked = false }: MatrixOptions,
): Promise<Matrix> {
  const catalog = await context.catalog();
  const { all, own: today } = await statesFor(context, manifestId, locked);
  const own = today.map(({ planned, cell }) => ({ made: madeOf(planned), cell }));
  const { records } = await openStore(catalog.root).list({ manifestId }, { onNote: context.say });
  const ids = new Set(all.map(({ cell }) => cell.cell_id));
  const old = unplanned(records, ids).map((record) => ({
    made: { ...record, named: undefined },
    cell: {
      cell_id: record.cell_id,
      platform: record.platform,
      state: "stale" as const,
      why: `no plan has it today; it was a ${record.status}`,
      record_id: record.record_id,
    },
  }));
  const cells = [...own, ...old];
  for (const axis of [rows, cols, ...(per === undefined ? [] : [per])]) {
    if (cells.length === 0 || cells.some(({ made }) => valueOn(axis, made) !== undefined)) continue;
    const known = new Set(
      cells.flatMap(({ made }) => [...Object.keys(made.fragments), ...Object.keys(made.named ?? {})]),
    );
    throw new FactoryError("USAGE", `no cell of ${manifestId} has a value for ${quoted(axis)}`, {
      fix: `there are: ${[...known].sort(compareText).join(", ")}, platform, base and args.NAME`,
    });
  }
  const placed = cells.flatMap(({ made, cell }): Placed[] => {
    const [row, col] = [valueOn(rows, made), valueOn(cols, made)];
    const third = per === undefined ? null : valueOn(per, made);
    return row === undefined || col === undefined || third === undefined
      ? []
      : [{ cell, row, col, per: third }];
  });
  return matrixOf(
    placed,
    { manifest_id: manifestId, rows, cols, per: per ?? null },
    valueOrder(catalog.fragmentScheme),
  );
}
