import type { Entry } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import type { Finding } from "../errors.ts";
import type { Plan } from "../schemas/types.ts";
import type { PlannedCell } from "./cell.ts";

/** Findings about two cells with one id, or two targets with one name: they could not be told apart later. */
export function duplicateFindings(cells: readonly PlannedCell[], entry: Entry<Plan> | null): Finding[] {
  const findings: Finding[] = [];
  for (const key of ["cell_id", "target"] as const) {
    const seen = new Set<string>();
    for (const { cell } of cells) {
      if (seen.has(cell[key])) {
        findings.push({
          code: "CELL_DUPLICATE",
          what: `two cells have the ${key === "target" ? "bake target" : "id"} \`${cell[key]}\``,
          where: entry?.place(["include"]),
          fix: "remove one of the two from `axes` or `include`: versions that differ only in characters that ids leave out cannot be in one plan",
        });
      }
      seen.add(cell[key]);
    }
    if (findings.length > 0) return findings;
  }
  return findings;
}

/** Findings about expectations for cells that the plan does not have. */
export function unknownCellFindings(cells: readonly PlannedCell[], entry: Entry<Plan> | null): Finding[] {
  const named = (entry?.document.expect ?? []).flatMap(({ cell_id }, at) =>
    cell_id === undefined ? [] : [{ cell_id, at }],
  );
  if (!entry || named.length === 0) return [];
  const known = new Set(cells.map(({ cell }) => cell.cell_id));
  return named.flatMap(({ cell_id, at }): Finding[] => {
    if (known.has(cell_id)) return [];
    const guess = didYouMean(cell_id, known);
    return [
      {
        code: "RULE_UNUSED",
        what: `rule ${at + 1} of \`expect\` names \`${cell_id}\`, which is not a cell of the plan`,
        where: entry.place(["expect", at, "cell_id"]),
        fix: guess ? `did you mean \`${guess}\`?` : "see `factory plan`, or remove the rule",
      },
    ];
  });
}
