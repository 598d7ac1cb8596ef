import pLimit from "p-limit";
import { errorOf, FactoryError, type Finding } from "../../errors.ts";
import { knowsDigests } from "../../stitch/labels.ts";
import type { Attempt, Attempts, Inputs } from "./attempts.ts";
import { type Placement, type Places, placementsOf } from "./placement.ts";
import { type Action, type Cell, type Change, type PlannedCell, type Reason, withCell } from "../cell.ts";
import { compareInputs, inputsOf } from "./reason.ts";

/** What a decision depends on beside the cells. */
export interface DecideOptions {
  attempts: Attempts;
  /** Milliseconds since 1970. */
  now: number;
  /** How old a proof may be, in milliseconds; null for any age. */
  maxAge: (planned: PlannedCell) => number | null;
  /** Whether an image has to have been pushed. */
  needPushed: boolean;
  /** Where images are. */
  places: Places;
}

/** What to do about a cell according to the list of attempts, before any record is read. */
interface Ruling {
  action: Action;
  /** null for a cell that is reused, and if a comparison has to find it. */
  reason: Reason | null;
  changes: Change[];
  /** The attempt whose record is relied on. */
  reliesOn: Attempt | null;
  /** The attempt that it is compared with, and the reason if nothing differs from it. */
  compared: Attempt | null;
  otherwise: Reason;
}

/** The result of reading a record. */
interface Checked {
  finding: Finding | null;
  inputs: Inputs | null;
}

/** How much the clocks of two machines may differ. */
const SKEW = 5 * 60_000;
const AT_ONCE = 8;
const SHOWN = 5;

/** Stages of an attempt before there is an image. */
export const BEFORE_IMAGE: ReadonlySet<string> = new Set(["resolve", "stitch", "build", "provenance"]);

const BUILD: Ruling = {
  action: "build",
  reason: null,
  changes: [],
  reliesOn: null,
  compared: null,
  otherwise: "NEW",
};

function dateText(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

/** Whether an attempt has an image with exactly the bits that the cell asks for. */
function hasBits({ cell }: PlannedCell, attempt: Attempt): boolean {
  return (
    attempt.manifest_id === cell.manifest_id &&
    attempt.platform === cell.platform &&
    attempt.build_key === cell.build_key &&
    attempt.proves &&
    attempt.digest !== null &&
    !BEFORE_IMAGE.has(attempt.stage)
  );
}

/** The newest verdict on a key, if it is a pass of this very cell. An error is not a verdict, and a fail is never reused. */
function provenBy(planned: PlannedCell, attempts: Attempts, now: number): Attempt | null {
  const { verdict_key } = planned.cell;
  const verdicts = attempts.withVerdictKey(verdict_key).filter(({ status }) => status !== "error");
  const [newest] = verdicts;
  if (newest?.status !== "pass" || newest.stage !== "done") return null;
  if (newest.verdict_key !== verdict_key || !hasBits(planned, newest)) return null;
  // With a clock that ran ahead, it is unknown whether a fail came later.
  const ahead = Date.parse(newest.tested_at) > now;
  return ahead && verdicts.some(({ status }) => status === "fail") ? null : newest;
}

/**
 * The newest attempt that says something about the bits, if it has them. One that the environment kept from building says
 * nothing; one whose build failed says that they cannot be built again.
 */
function bitsFrom(planned: PlannedCell, attempts: Attempts): Attempt | null {
  const telling = attempts
    .withBuildKey(planned.cell.build_key)
    .find(({ status, stage }) => status !== "error" || !BEFORE_IMAGE.has(stage));
  return telling && hasBits(planned, telling) ? telling : null;
}

/** Why a proof is too old, or from the future by this machine's clock; null if it is fresh. */
function expired({ tested_at }: Attempt, now: number, maxAge: number | null): Change | null {
  const tested = Date.parse(tested_at);
  if (!(tested <= now + SKEW)) return { input: "clock", before: tested_at, after: dateText(now) };
  if (maxAge === null || now - tested <= maxAge) return null;
  return { input: "proof", before: tested_at, after: dateText(tested + maxAge) };
}

/** Why a verdict may not be the last: something is missing that may have held a later one. */
function lost(attempt: Attempt, attempts: Attempts): Change | null {
  const before = attempts.lost(attempt);
  return before === null ? null : { input: "records", before, after: null };
}

/** What a known image with a known verdict still lacks. */
function misplaced({ tags }: Cell, { ref, pushed }: Attempt, needPushed: boolean): Change[] {
  const changes: Change[] = [];
  if (ref === null || !tags.includes(ref))
    changes.push({ input: "tags", before: ref, after: tags.join(", ") });
  if (needPushed && !pushed) changes.push({ input: "pushed", before: "false", after: "true" });
  return changes;
}

/** A build whose reason is what differs from an attempt; `otherwise` if nothing does. */
function against({ cell }: PlannedCell, compared: Attempt, otherwise: Reason): Ruling {
  const reason = compared.verdict_key === cell.verdict_key ? otherwise : null;
  return { ...BUILD, reason, compared, otherwise };
}

/** A build, compared with the newest passing attempt at the cell, else with the newest attempt. */
function build(planned: PlannedCell, attempts: Attempts, otherwise: Reason): Ruling {
  const known = attempts.ofCell(planned.cell.manifest_id, planned.cell.cell_id);
  const compared = known.find(({ status }) => status === "pass") ?? known[0];
  return compared ? against(planned, compared, otherwise) : { ...BUILD, reason: "NEW" };
}

function rule(planned: PlannedCell, options: DecideOptions): Ruling {
  const { attempts, now, needPushed } = options;
  const { cell } = planned;
  if (planned.neverReused.length > 0) {
    const changes = planned.neverReused.map((file) => ({ input: "reuse", before: null, after: file }));
    return { ...BUILD, reason: "NEVER", changes };
  }
  // Without the digests of all images the keys do not determine the bits.
  if (!knowsDigests(cell.images)) return build(planned, attempts, "BASE");
  if (cell.expect) {
    const [same] = attempts.withVerdictKey(cell.verdict_key);
    return same ? against(planned, same, "MEANT_TO_FAIL") : build(planned, attempts, "MEANT_TO_FAIL");
  }
  const proof = provenBy(planned, attempts, now);
  const gone = proof ? lost(proof, attempts) : null;
  const age = proof ? (gone ?? expired(proof, now, options.maxAge(planned))) : null;
  if (proof && !age) {
    const changes = misplaced(cell, proof, needPushed);
    if (changes.length === 0) return { ...BUILD, action: "reuse", reliesOn: proof };
    return { ...BUILD, action: "retag", reason: "POLICY", changes, reliesOn: proof };
  }
  const bits = age?.input === "clock" ? null : bitsFrom(planned, attempts);
  if (age) {
    const because: Pick<Ruling, "reason" | "changes"> = { reason: gone ? "LOST" : "EXPIRED", changes: [age] };
    if (!bits) return { ...BUILD, ...because, compared: proof };
    return { ...BUILD, ...because, action: "retest", reliesOn: bits };
  }
  if (bits) return { ...against(planned, bits, "NEW"), action: "retest", reliesOn: bits };
  return build(planned, attempts, "NEW");
}

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

/**
 * What to do about each cell, and why. A cell is reused only if the newest verdict on its verdict key is a pass that is not
 * too old, if its record is proven by its evidence, and if its image has the cell's tag in the engine or, if it was pushed,
 * in the registry. If neither can be asked, the record alone proves it. If only the tag or the push is missing, it is
 * `retag`; a known image without a valid verdict is `retest`; everything else, and every doubt, is `build`. A cell that is
 * meant to fail is always built. The cells are returned as new ones, in their order.
 * @throws FactoryError EVIDENCE_MISMATCH, RECORD_UNREADABLE, or FINDINGS with all of them: records to be relied on or
 * compared with that are not what they were
 */
export async function decide(cells: readonly PlannedCell[], options: DecideOptions): Promise<PlannedCell[]> {
  const rulings = cells.map((planned) => [planned, rule(planned, options)] as const);
  const checked = await checkAll(rulings, options.attempts);
  const findings = [...checked.values()].flatMap(({ finding }) => finding ?? []);
  if (findings.length > 0) throw errorOf(findings);
  const placements = await placed(rulings, options);
  return rulings.map(([planned, ruling]) => {
    const { action, reason, changes, reliesOn, compared, otherwise } = ruling;
    const record_id = (reliesOn ?? compared)?.record_id ?? null;
    const placement = placements.get(ruling);
    if (placement?.action === "reuse")
      return withCell(planned, { action, reason: null, changes: [], record_id, seen: placement.seen });
    if (placement) return withCell(planned, { ...placement, reason: "IMAGE", record_id });
    if (reason !== null) return withCell(planned, { action, reason, changes: [...changes], record_id });
    const inputs = compared ? checked.get(keyOf(compared))?.inputs : undefined;
    if (!inputs) throw new Error(`the record ${record_id} was not read`);
    const difference = compareInputs(inputs, inputsOf(planned)) ?? { reason: otherwise, changes: [] };
    return withCell(planned, { action, record_id, ...difference });
  });
}
