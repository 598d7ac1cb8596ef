import type { Places } from "./placement.ts";
import { knowsDigests } from "../../stitch/labels.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import type { Action, Change, Reason } from "../action.ts";
import type { Cell, PlannedCell } from "../cell.ts";

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
export interface Ruling {
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

/** How much the clocks of two machines may differ. */
const SKEW = 5 * 60_000;
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
 * nothing; one whose build failed says that they cannot be built again; of one whose evidence was pruned nothing can be taken over.
 */
function bitsFrom(planned: PlannedCell, attempts: Attempts): Attempt | null {
  const telling = attempts
    .withBuildKey(planned.cell.build_key)
    .find(({ status, stage }) => status !== "error" || !BEFORE_IMAGE.has(stage));
  return telling && hasBits(planned, telling) && attempts.pruned(telling) === null ? telling : null;
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

/** Why the evidence of a verdict is gone: it was deleted on purpose. */
function prunedFrom(attempt: Attempt, attempts: Attempts): Change | null {
  const before = attempts.pruned(attempt);
  return before === null ? null : { input: "evidence", before, after: null };
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

/**
 * What the list of attempts says to do about a cell.
 * @param parent what will be done about the cell that it starts from; null if it starts from none
 */
export function rule(planned: PlannedCell, options: DecideOptions, parent: Action | null): Ruling {
  const { attempts, now, needPushed } = options;
  const { cell } = planned;
  if (planned.neverReused.length > 0) {
    const changes = planned.neverReused.map((file) => ({ input: "reuse", before: null, after: file }));
    return { ...BUILD, reason: "NEVER", changes };
  }
  // Its base will be another image.
  if (parent === "build") return build(planned, attempts, "PARENT");
  // Without the digests of all images the keys do not determine the bits.
  if (!knowsDigests(cell.images)) return build(planned, attempts, "BASE");
  if (cell.expect) {
    const [same] = attempts.withVerdictKey(cell.verdict_key);
    return same ? against(planned, same, "MEANT_TO_FAIL") : build(planned, attempts, "MEANT_TO_FAIL");
  }
  const proof = provenBy(planned, attempts, now);
  const gone = proof ? lost(proof, attempts) : null;
  const pruned = proof && !gone ? prunedFrom(proof, attempts) : null;
  const age = proof ? (gone ?? pruned ?? expired(proof, now, options.maxAge(planned))) : null;
  if (proof && !age) {
    const changes = misplaced(cell, proof, needPushed);
    if (changes.length === 0) return { ...BUILD, action: "reuse", reliesOn: proof };
    return { ...BUILD, action: "retag", reason: "POLICY", changes, reliesOn: proof };
  }
  const bits = age?.input === "clock" ? null : bitsFrom(planned, attempts);
  if (age) {
    const because: Pick<Ruling, "reason" | "changes"> = {
      reason: gone ? "LOST" : pruned ? "PRUNED" : "EXPIRED",
      changes: [age],
    };
    if (!bits) return { ...BUILD, ...because, compared: proof };
    return { ...BUILD, ...because, action: "retest", reliesOn: bits };
  }
  if (bits) return { ...against(planned, bits, "NEW"), action: "retest", reliesOn: bits };
  return build(planned, attempts, "NEW");
}
