import type { Change, Reason } from "../action.ts";
import type { Cell } from "../cell.ts";

/** Reasons whose changes name a place that changed, not a value before and after. */
const PLACES: ReadonlySet<Reason | null> = new Set([
  "FILES",
  "TEMPLATE",
  "POLICY",
  "NEVER",
  "PARENT",
  "NEEDED",
]);

/** One change in a few words: `core 0.1.0 → 0.1.1`. */
function changeText({ input, before, after }: Change, reason: Reason | null): string {
  if (reason === "PRUNED" && before !== null) return `its evidence was pruned on ${before.slice(0, 10)}`;
  // What the reason already says is left out: `BASE digest`, `TESTS sha256:…`.
  const kind = reason?.toLowerCase() ?? "";
  const short = input.replace(/^fragments\./, "");
  const own = short.startsWith(`${kind}.`) ? short.slice(kind.length + 1) : short;
  const name = own === kind ? "" : `${own} `;
  if (before !== null && after !== null) return `${name}${before} → ${after}`;
  if (after === null) return before === null ? own : `${name}${before} gone`;
  if (after === own) return own;
  return PLACES.has(reason) ? `${name}${after}` : `${name}→ ${after}`;
}

/**
 * Why something is done about a cell, in one line, with the most important change and the number of others:
 * `FRAGMENT core 0.1.0 → 0.1.1 (+2)`. Empty if there is no reason.
 */
export function reasonText({ reason, changes }: Pick<Cell, "reason" | "changes">): string {
  const [first] = changes;
  const more = changes.length > 1 ? ` (+${changes.length - 1})` : "";
  return first ? `${reason ?? ""} ${changeText(first, reason)}${more}`.trimStart() : (reason ?? "");
}
