import pLimit from "p-limit";
import { errorOf, FactoryError, type Finding } from "../../errors.ts";
import { parentRef } from "../../model/parent.ts";
import type { DigestOf } from "../../stitch/stitch.ts";
import type { Attempt, Attempts, Inputs } from "./attempts.ts";
import { type Placement, placementsOf } from "./placement.ts";
import { type Cell, type PlannedCell, withCell } from "../cell.ts";
import { parentCellId } from "../cell-names.ts";
import { withCauses } from "../family.ts";
import { levelsOf } from "../topology.ts";
import { type DecideOptions, rule, type Ruling } from "./ruling.ts";
import { compareInputs, inputsOf } from "./reason.ts";

/** The result of reading a record. */
interface Checked {
  finding: Finding | null;
  inputs: Inputs | null;
}

const AT_ONCE = 8;
const SHOWN = 5;

function keyOf({ manifest_id, record_id }: Attempt): string {
  return `${manifest_id}/${record_id}`;
}

/** One finding for everything that is wrong with a record. */
function mismatch(
  attempt: Attempt,
  { cellId, file }: { cellId: string; file: string },
  problems: readonly string[],
): Finding {
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : "";
  return {
    code: "EVIDENCE_MISMATCH",
    what: `the record ${attempt.record_id}, which would prove ${cellId}, cannot be believed: ${problems.slice(0, SHOWN).join("; ")}${more}`,
    where: { file },
    fix: "restore the record, its evidence and its ledger from version control or from the CI artifact, or build anyway with --force",
  };
}

/** Reads a record as far as it is needed. A record that cannot be read is a finding. */
async function check(
  attempts: Attempts,
  attempt: Attempt,
  asked: { cellId: string; relied: boolean; compared: boolean },
): Promise<Checked> {
  const file = attempts.nameOf(attempt);
  try {
    const problems = asked.relied ? await attempts.problems(attempt) : [];
    if (problems.length > 0)
      return { finding: mismatch(attempt, { cellId: asked.cellId, file }, problems), inputs: null };
    if (!asked.compared) return { finding: null, inputs: null };
    return { finding: null, inputs: await attempts.read(attempt) };
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    const { code, message, where, fix } = error;
    return { finding: { code, what: message, where: where ?? { file }, fix }, inputs: null };
  }
}

/** Reads every record that a ruling needs, each once, several at a time. */
async function checkAll(rulings: readonly (readonly [PlannedCell, Ruling])[], attempts: Attempts) {
  const asked = new Map<string, { attempt: Attempt; cellId: string; relied: boolean; compared: boolean }>();
  for (const [{ cell }, { reliesOn, reason, compared }] of rulings) {
    const ask = (attempt: Attempt | null, what: "relied" | "compared") => {
      if (!attempt) return;
      const key = keyOf(attempt);
      const one = asked.get(key) ?? { attempt, cellId: cell.cell_id, relied: false, compared: false };
      // A finding names a cell that would rely on the record.
      if (what === "relied" && !one.relied) one.cellId = cell.cell_id;
      one[what] = true;
      asked.set(key, one);
    };
    ask(reliesOn, "relied");
    if (reason === null) ask(compared, "compared");
  }
  const limit = pLimit(AT_ONCE);
  const entries = [...asked].map(([key, { attempt, ...what }]) =>
    limit(async () => [key, await check(attempts, attempt, what)] as const),
  );
  return new Map(await Promise.all(entries));
}

/** Adjusts the rulings on cells that a record proves to where their images are. */
async function placed(
  rulings: readonly (readonly [PlannedCell, Ruling])[],
  { places, needPushed }: DecideOptions,
): Promise<Map<Ruling, Placement>> {
  const reused = rulings.flatMap(([, ruling]) =>
    ruling.action === "reuse" && ruling.reliesOn ? [{ ruling, proof: ruling.reliesOn }] : [],
  );
  const proofs = reused.map(({ proof }) => proof);
  const placements = await placementsOf(proofs, places, needPushed);
  return new Map(
    reused.flatMap(({ ruling }, at) => {
      const placement = placements[at];
      return placement ? [[ruling, placement] as const] : [];
    }),
  );
}

/** What was decided about a cell. */
interface Decided {
  planned: PlannedCell;
  /** The image that it will have if that is known by now; null if it is built. */
  digest: string | null;
}

/** Whether a cell that is proven has to wait for what is tested again above it: then its proof is that of another parent. */
function afterRetest({ planned, digest }: Decided, parent: PlannedCell | undefined): Decided {
  const { action } = planned.cell;
  if (parent?.cell.action !== "retest" || (action !== "reuse" && action !== "retag"))
    return { planned, digest };
  const again = { action: "retest", reason: "PARENT", changes: [], seen: undefined } as const;
  return { planned: withCell(planned, { ...again, changes: [] }), digest };
}

/** Decides about cells that start from none of each other. */
async function decideLevel(
  cells: readonly PlannedCell[],
  parentOf: (planned: PlannedCell) => PlannedCell | undefined,
  options: DecideOptions,
): Promise<Decided[]> {
  const rulings = cells.map((planned) => {
    return [planned, rule(planned, options, parentOf(planned)?.cell.action ?? null)] as const;
  });
  const checked = await checkAll(rulings, options.attempts);
  const findings = [...checked.values()].flatMap(({ finding }) => finding ?? []);
  if (findings.length > 0) throw errorOf(findings);
  const placements = await placed(rulings, options);
  return rulings.map(([planned, ruling]) => {
    const { action, reason, changes, reliesOn, compared, otherwise } = ruling;
    const record_id = (reliesOn ?? compared)?.record_id ?? null;
    const decided = (change: Partial<Cell>): Decided => {
      const digest = (change.action ?? action) === "build" ? null : (reliesOn?.digest ?? null);
      return afterRetest({ planned: withCell(planned, { record_id, ...change }), digest }, parentOf(planned));
    };
    const placement = placements.get(ruling);
    if (placement?.action === "reuse")
      return decided({ action, reason: null, changes: [], seen: placement.seen });
    if (placement) return decided({ ...placement, reason: "IMAGE" });
    if (reason !== null) return decided({ action, reason, changes: [...changes] });
    const inputs = compared ? checked.get(keyOf(compared))?.inputs : undefined;
    if (!inputs) throw new Error(`the record ${record_id} was not read`);
    const difference = compareInputs(inputs, inputsOf(planned)) ?? { reason: otherwise, changes: [] };
    return decided({ action, ...difference, ...(otherwise === "PARENT" && { reason: "PARENT" }) });
  });
}

/**
 * What to do about each cell, and why. A cell is reused only if the newest verdict on its verdict key is a pass that is not
 * too old, if its record is proven by its evidence, and if its image has the cell's tag in the engine or, if it was pushed,
 * in the registry. If neither can be asked, the record alone proves it. If only the tag or the push is missing, it is
 * `retag`; a known image without a valid verdict is `retest`; everything else, and every doubt, is `build`. A cell that is
 * meant to fail is always built.
 *
 * Cells that start from others come after these. Where the image of a parent is known, it is the base that their keys name.
 * Where the parent is built, so are they; where it is tested again, they are too, if their own image is known.
 * @param cells with each that they start from
 * @returns the cells as new ones, in their order
 * @throws FactoryError EVIDENCE_MISMATCH, RECORD_UNREADABLE, or FINDINGS with all of them: records to be relied on or
 * compared with that are not what they were
 */
export async function decide(cells: readonly PlannedCell[], options: DecideOptions): Promise<PlannedCell[]> {
  const digests = new Map<string, string>();
  const decided = new Map<string, PlannedCell>();
  const results = new Map<PlannedCell, PlannedCell>();
  for (const level of levelsOf(cells)) {
    const known = new Map(digests);
    const digestOf: DigestOf = (ref, platform) => known.get(`${ref} ${platform}`) ?? null;
    const pinned = level.map((planned) =>
      planned.cell.parent === undefined ? planned : planned.pin(digestOf),
    );
    const parentOf = ({ cell }: PlannedCell) => decided.get(cell.parent ?? "");
    for (const [at, { planned, digest }] of (await decideLevel(pinned, parentOf, options)).entries()) {
      const { cell_id, manifest_id, platform } = planned.cell;
      decided.set(cell_id, planned);
      const own = level[at];
      if (own) results.set(own, planned);
      if (digest !== null && cell_id === parentCellId(manifest_id, platform))
        digests.set(`${parentRef(manifest_id)} ${platform}`, digest);
    }
  }
  return withCauses(cells.map((planned) => results.get(planned) ?? planned));
}
