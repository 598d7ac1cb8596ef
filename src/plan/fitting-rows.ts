import { FactoryError, withPlace } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { valueText } from "../model/value.ts";
import type { Coverage, PlannedCell } from "./cell.ts";
import type { Rule } from "./conditions.ts";
import type { Given, Space } from "./space.ts";
import { chooseRows } from "./strategy.ts";

/** Findings of contracts that leave a cell out without making the plan wrong. */
const RULED_OUT = new Set([
  "REQUIRES_VERSION",
  "CONFLICT",
  "VERSIONS_CONTRADICT",
  "PLATFORM_UNSUPPORTED",
  "BASE_UNSUPPORTED",
]);

/** How many combinations without versions that fit may be found one by one. */
const MAX_LEARNED = 10_000;

/** The findings of an error that only leave a cell out; undefined if it is another error. */
export function ruledOut(error: unknown): { code: string; what: string }[] | undefined {
  if (!(error instanceof FactoryError) || !error.findings) return undefined;
  return error.findings.every(({ code }) => RULED_OUT.has(code)) ? [...error.findings] : undefined;
}

type Row = readonly number[];

/** A rule against all cells that have what a row has in the columns that decide about versions, and about what failed. */
function ruleAgainst(
  { columns, manifest }: Space,
  row: Row,
  found: readonly { code: string; what: string }[],
): Rule {
  const kinds = new Set<string>(["fragment"]);
  if (found.some(({ code }) => code === "PLATFORM_UNSUPPORTED")) kinds.add("platform");
  if (found.some(({ code }) => code === "BASE_UNSUPPORTED")) kinds.add("base");
  const about = columns.flatMap(({ axes, size }, column) =>
    axes.some(({ kind }) => kinds.has(kind)) ? [{ axes, size, column }] : [],
  );
  const forbids: Record<string, string> = {};
  for (const { axes, column } of about)
    for (const { name, values, kind } of axes)
      if (kind === "named" || (axes[0]?.kind !== "named" && kinds.has(kind)))
        forbids[name] = valueText(values[row[column] ?? 0] ?? "");
  return {
    columns: about.map(({ column }) => column),
    values: about.map(({ size, column }) => {
      const mask = new Uint8Array(size);
      mask[row[column] ?? 0] = 1;
      return mask;
    }),
    forbids,
    what: found.map(({ what }) => what).join("; "),
    where: manifest.place(["fragments"]),
  };
}

function breaks({ columns, values }: Rule, row: Row): boolean {
  return columns.every((column, at) => values[at]?.[row[column] ?? -1] === 1);
}

/**
 * The cells of a plan's axes, with the rows that they come from. Where ranges are solved for each cell, a combination for
 * which no versions fit becomes a rule, and the strategy chooses again.
 * @returns `learned`: these rules
 * @throws FactoryError as chooseRows does, and what making a cell throws
 */
export function fittingRows(
  space: Space,
  make: (row: Row) => PlannedCell,
  proven: Given["proven"],
): { rows: Row[]; cells: PlannedCell[]; coverage: Coverage | null; learned: Rule[] } {
  const learned: Rule[] = [];
  const made = new Map<string, PlannedCell>();
  const makeOrLearn = (row: Row): PlannedCell | undefined => {
    const known = made.get(row.join());
    if (known) return known;
    if (learned.some((rule) => breaks(rule, row))) return undefined;
    try {
      const cell = make(row);
      if (space.open.size > 0) made.set(row.join(), cell);
      return cell;
    } catch (error) {
      const found = space.open.size === 0 ? undefined : ruledOut(error);
      const rule = found && ruleAgainst(space, row, found);
      if (!rule || rule.columns.length === 0) throw error;
      if (learned.length >= MAX_LEARNED)
        throw new FactoryError(
          "PLAN_TOO_LARGE",
          `no versions fit together for more than ${grouped(MAX_LEARNED)} combinations of the plan's axes`,
          { where: space.entry?.place(["axes"]), fix: "exclude them, or make axes of what they need" },
        );
      learned.push(rule);
      return undefined;
    }
  };
  for (;;) {
    const before = learned.length;
    const { rows, coverage } = withPlace("SEARCH_TOO_LONG", space.entry?.place(["axes"]), () =>
      chooseRows({ ...space, rules: [...space.rules, ...learned] }, makeOrLearn, proven),
    );
    const cells = rows.map(makeOrLearn);
    if (learned.length > before) continue;
    return { rows, cells: cells.flatMap((cell) => cell ?? []), coverage, learned };
  }
}
