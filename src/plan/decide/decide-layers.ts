import { FactoryError } from "../../errors.ts";
import {
  isTiedTo,
  type OriginalImage,
  type OtherLayers,
  tieTo,
  tooLittle,
} from "../../model/other-layers.ts";
import type { Repacked } from "../../model/inputs.ts";
import type { FactoryRecord, FactoryRecord1 } from "../../schemas/types.ts";
import { type CellRepack, type PlannedCell, withCell } from "../cell.ts";
import { repackedCell, repackedTag } from "../repacked-cell.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { decide } from "./decide.ts";
import { UNASKED } from "./placement.ts";
import type { DecideOptions } from "./ruling.ts";

/** What decides about other layers beside what decides about cells. */
export interface LayersOptions extends DecideOptions {
  /**
   * The version of docker-repack here, which makes other layers than another one may; null where it is not installed. `any`: of
   * what is there already, and is not going to be made, any version will do.
   */
  version: "any" | (() => Promise<string | null>);
  /** The share of bytes that layers of a manifest have to save to be given to others. */
  minSaving: (manifestId: string) => number;
  /** A line for people. */
  note: (text: string) => void;
}

/** The image that a record proves; null where it cannot be one that layers are made from. */
function originalOf(record: FactoryRecord | FactoryRecord1): OriginalImage | null {
  const { schema_version, record_id, image } = record;
  return schema_version === 2 && image ? { record_id, image } : null;
}

/**
 * What the records say of images in other layers, as a decision about cells asks it: nothing is tested again or given a tag, so
 * there is no other attempt to take anything from.
 */
function ofLayers(attempts: Attempts, cells: readonly PlannedCell[]): Attempts {
  const buildKeys = new Map(cells.map(({ cell }) => [cell.verdict_key, cell.build_key]));
  return {
    ...attempts,
    withVerdictKey: (key) =>
      attempts
        .inOtherLayers(buildKeys.get(key) ?? "")
        .filter(({ verdict_key }) => verdict_key === key)
        .map((one) => ({ ...one, proves: true })),
    withBuildKey: () => [],
    ofCell: () => [],
    problems: (attempt) => attempts.problems({ ...attempt, proves: false }),
  };
}

/** A record that an attempt names; null, and a line for people, where it cannot be read: it proves nothing then. */
async function readOf(
  attempt: Attempt,
  { attempts, note }: LayersOptions,
): Promise<FactoryRecord | FactoryRecord1 | null> {
  try {
    return await attempts.read(attempt);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
    note(`warning: ${attempt.record_id} says nothing about other layers: ${error.message}`);
    return null;
  }
}

/** What a proof of other layers has to be tied to; null where there can be none. */
async function tieFor(
  { cell }: PlannedCell,
  original: OriginalImage,
  layers: OtherLayers,
  options: LayersOptions,
): Promise<Repacked | null> {
  const { attempts, version } = options;
  if (layers.with === "zstd") return tieTo(original, { ...layers, version: null });
  if (version !== "any") {
    const own = await version();
    return own === null ? null : tieTo(original, { ...layers, version: own });
  }
  for (const attempt of attempts.inOtherLayers(cell.build_key)) {
    const record = await readOf(attempt, options);
    const tie = record?.schema_version === 2 ? record.repacked : undefined;
    if (tie && isTiedTo(tie, original, layers)) return tie;
  }
  return null;
}

/** A cell in the layers that are asked for, as one whose own record has to prove it; null where no record can. */
async function inLayers(
  planned: PlannedCell,
  layers: OtherLayers,
  options: LayersOptions,
): Promise<PlannedCell | null> {
  const { cell } = planned;
  const { action, record_id, verdict_key } = cell;
  // What is run again gets a new record; a tag that is not there yet may be published all the same.
  if (action !== "reuse" && !(options.version === "any" && action === "retag")) return null;
  const attempt = options.attempts.withVerdictKey(verdict_key).find((one) => one.record_id === record_id);
  const record = attempt ? await readOf(attempt, options) : null;
  const original = record && originalOf(record);
  const tie = original && (await tieFor(planned, original, layers, options));
  const ref = attempt?.ref ?? null;
  if (!tie || ref === null) return null;
  const own = repackedCell(planned, tie, repackedTag(ref, layers.tag_suffix));
  return withCell(own, { parent: undefined, action: "build", reason: null, record_id: null });
}

/** What is decided about cells in other layers; null about one whose record cannot be believed. */
async function rulingsOn(
  all: readonly PlannedCell[],
  options: LayersOptions,
): Promise<readonly (PlannedCell | null)[]> {
  const attempts = ofLayers(options.attempts, all);
  try {
    return await decide(all, { ...options, attempts });
  } catch (error) {
    if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
    const [only, ...more] = all;
    if (only && more.length === 0) {
      options.note(`warning: ${only.cell.cell_id} is not proven in other layers: ${error.message}`);
      return [null];
    }
    const each: (PlannedCell | null)[] = [];
    for (const one of all) each.push(...(await rulingsOn([one], options)));
    return each;
  }
}

/**
 * Why the newest image in these layers is not to be given to others; null if it is, or if there is none. It stays where it was made,
 * so nobody asks where it is.
 */
async function keptBack({ cell }: PlannedCell, options: LayersOptions): Promise<string | null> {
  const { attempts, minSaving, needPushed, version } = options;
  if (!needPushed && version !== "any") return null;
  const newest = attempts
    .inOtherLayers(cell.build_key)
    .find(({ verdict_key, status }) => verdict_key === cell.verdict_key && status !== "error");
  if (newest?.status !== "pass") return null;
  const record = await readOf(newest, options);
  const saving = record?.schema_version === 2 ? record.saving : undefined;
  return saving === undefined ? null : tooLittle(saving, minSaving(cell.manifest_id));
}

function decided(
  layers: OtherLayers,
  { action, reason, record_id }: PlannedCell["cell"],
  kept_back: string | null,
): CellRepack {
  return action === "reuse"
    ? { ...layers, action, reason: null, record_id, kept_back }
    : { ...layers, action: "repack", reason, record_id: null, kept_back: null };
}

/**
 * What to do about the other layers that are asked for of cells. A record proves them only under the rules for cells, and if it is
 * tied to the very record that proves the cell, and to the same way of making them.
 * @param cells as they are decided about
 * @param options null if the records were not asked
 * A record of theirs that cannot be believed is told, and proves nothing: it says nothing against the cell.
 * @returns the cells as new ones, in their order
 */
export async function decideLayers(
  cells: readonly PlannedCell[],
  asked: (planned: PlannedCell) => OtherLayers | undefined,
  options: LayersOptions | null,
): Promise<PlannedCell[]> {
  const own = new Map<PlannedCell, PlannedCell>();
  const here = new Map<PlannedCell, PlannedCell>();
  const back = new Map<PlannedCell, string>();
  for (const planned of options ? cells : []) {
    const layers = asked(planned);
    const one = layers && options ? await inLayers(planned, layers, options) : null;
    if (!one || !options) continue;
    const kept_back = await keptBack(one, options);
    if (kept_back !== null) back.set(planned, kept_back);
    (kept_back === null ? own : here).set(planned, one);
  }
  const found = new Map<PlannedCell, PlannedCell["cell"] | undefined>();
  const decideOn = async (some: ReadonlyMap<PlannedCell, PlannedCell>, how: LayersOptions) => {
    const rulings = await rulingsOn([...some.values()], how);
    for (const [at, planned] of [...some.keys()].entries()) found.set(planned, rulings[at]?.cell);
  };
  if (options) {
    await decideOn(own, options);
    await decideOn(here, { ...options, places: UNASKED, needPushed: false });
  }
  return cells.map((planned) => {
    const layers = asked(planned);
    if (!layers) return planned;
    const fresh = { action: "build", reason: planned.cell.reason ?? "NEW", record_id: null } as const;
    return withCell(planned, {
      repack: decided(layers, found.get(planned) ?? { ...planned.cell, ...fresh }, back.get(planned) ?? null),
    });
  });
}
