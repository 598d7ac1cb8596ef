import type { Ledgers } from "./ledger.ts";

/** Kinds of evidence that are never pruned: they are small, and say what an image was made from. */
export const STAYING_KINDS: ReadonlySet<string> = new Set([
  "inputs",
  "source_files",
  "dockerfile",
  "bake_file",
]);

/** What was deleted on purpose of a record's evidence. */
export interface Pruned {
  /** When, the first time: ISO 8601, UTC. */
  at: string;
  /** The sha256 of each piece, 64 hex digits. */
  evidence: ReadonlySet<string>;
}

/**
 * What the ledgers say was deleted of a record's evidence; null if that is nothing. Such a record proves nothing any more, even
 * if all of its evidence is here: so a line that somebody forges gains them nothing but another build.
 * @param sha256 of the record's file, 64 hex digits: a line about a record of other bytes does not count
 */
export function prunedOf(
  { pruned }: Pick<Ledgers, "pruned">,
  recordId: string,
  sha256: string,
): Pruned | null {
  const own = (pruned.get(recordId) ?? []).filter((line) => line.sha256 === sha256);
  const [first] = own.map(({ at }) => at).sort();
  return first === undefined
    ? null
    : { at: first, evidence: new Set(own.flatMap(({ evidence }) => evidence)) };
}

/** Why a record whose evidence was pruned proves nothing, for people. */
export function prunedText({ at }: Pick<Pruned, "at">): string {
  return `its evidence was pruned on ${at.slice(0, 10)}: run the cell again`;
}
