import { isId } from "../catalog/names.ts";
import { ledgersIn } from "./ledger.ts";
import { placeOf } from "./place.ts";
import { prunedOf } from "./pruned.ts";

/** Says when the evidence of a record was pruned in this workspace; null if it was not. @param sha256 of its file, 64 hex digits */
export type PrunedHere = (manifestId: string, recordId: string, sha256: string) => string | null;

/**
 * Asks the ledgers of a workspace, each manifest's once.
 * @param root absolute path of the workspace
 */
export function prunedHere(root: string): PrunedHere {
  let ledgers: ReturnType<typeof ledgersIn> | undefined;
  return (manifestId, recordId, sha256) => {
    const base = isId(manifestId) ? placeOf(root)?.base : undefined;
    if (base === undefined) return null;
    ledgers ??= ledgersIn(base);
    return prunedOf(ledgers(manifestId), recordId, sha256)?.at ?? null;
  };
}
