import type { Catalog } from "../catalog/catalog.ts";
import { errorOf, FactoryError } from "../errors.ts";
import { listed, quoted } from "../model/visible.ts";
import { valueText } from "../model/value.ts";
import type { CellInclude, Value } from "../schemas/types.ts";
import type { Coverage, LeftOut, Planned } from "./cell.ts";
import { duplicateFindings, unknownCellFindings } from "./cell-findings.ts";
import { fittingRows, ruledOut } from "./fitting-rows.ts";
import { addChosen, cellMaker, chosenBy } from "./make-cell.ts";
import { sortCells } from "./order.ts";
import { axisFinder, conditionsOf } from "./selectors.ts";
import { type Given, type PlanRequest, readSpace, type Space } from "./space.ts";
import { unusedValues } from "./unused-values.ts";

/**
 * The rows that `include` adds, each once per platform.
 * @throws FactoryError RULE_UNUSED, SCHEMA about values of named axes
 */
function includedRows({ entry, columns }: Space): Map<string, Value>[] {
  const finder = axisFinder(columns);
  const platforms = [...new Set(finder.get("platform")?.axis.values ?? [])];
  return (entry?.document.include ?? []).flatMap((include: CellInclude, at) => {
    const conditions = conditionsOf(include);
    const row = new Map<string, Value>();
    for (const [name, value] of conditions) {
      const found = finder.get(name);
      if (found?.axis.kind !== "named") continue;
      const position = found.axis.values.indexOf(value);
      if (position < 0)
        throw new FactoryError("RULE_UNUSED", `\`${name}\` has no value ${quoted(valueText(value))}`, {
          where: entry?.place(["include", at, name]),
          fix: `it has: ${listed(found.axis.values as string[])}`,
        });
      addChosen(row, columns[found.column]?.axes ?? [], position);
    }
    for (const [name, value] of conditions) {
      if (row.has(name) && finder.get(name)?.axis.kind !== "named")
        throw new FactoryError("SCHEMA", `a row of \`include\` sets \`${name}\` twice`, {
          where: entry?.place([
            "include",
            at,
            ...(name.startsWith("args.") ? ["args", name.slice(5)] : [name]),
          ]),
          fix: "leave it to the value of the named axis, or leave that out",
        });
      row.set(name, value);
    }
    const own = row.get("platform");
    return (own === undefined ? platforms : [own]).flatMap((platform) =>
      platform === undefined ? [] : [new Map<string, Value>([...row, ["platform", platform]])],
    );
  });
}

/**
 * Expands a plan, or one manifest, to its cells. Pure: it only reads the catalog and its arguments.
 * @throws FactoryError PLAN_EMPTY, PLAN_TOO_LARGE, CELL_DUPLICATE, RULE_*, ZIP_*, STRATEGY_TOO_STRONG, SEED_IMPOSSIBLE,
 * EXPECT_EXPIRED, and what resolving and rendering throw
 */
export function expand(catalog: Catalog, request: PlanRequest, given: Given): Planned {
  const space = readSpace(catalog, request, given);
  const { entry, manifest, columns, rules } = space;
  const { manifest_id } = manifest.document;
  const make = cellMaker(catalog, space, request, given);

  const { rows, cells, coverage, learned } = fittingRows(
    space,
    (row) => make(chosenBy(columns, row)),
    given.proven,
  );
  const left_out: LeftOut[] = [...rules, ...learned]
    .filter(({ where }) => where?.file !== entry?.file)
    .map(({ forbids, what }) => ({ values: forbids, what }));
  const included = includedRows(space);
  const alone = new Set(
    left_out.flatMap(({ values }) => {
      const [only, ...more] = Object.entries(values);
      return only && more.length === 0 ? only.join("\n") : [];
    }),
  );
  const isSaid = (name: string, value: string) =>
    alone.has(`${name}\n${value}`) ||
    included.some((row) => row.has(name) && valueText(row.get(name) ?? "") === value);
  left_out.push(...unusedValues({ columns, rules: [...rules, ...learned] }, rows, isSaid));
  for (const chosen of included) {
    try {
      cells.push(make(chosen));
    } catch (error) {
      const found = ruledOut(error);
      if (!found) throw error;
      const values = Object.fromEntries([...chosen].map(([name, value]) => [name, valueText(value)]));
      left_out.push({ values, what: found.map(({ what }) => what).join("; ") });
    }
  }
  const findings = [...duplicateFindings(cells, entry), ...unknownCellFindings(cells, entry)];
  if (cells.length === 0) {
    findings.unshift({
      code: "PLAN_EMPTY",
      what: `${entry ? `the plan ${entry.document.plan_id}` : manifest_id} has no cell${left_out[0] ? `: ${left_out[0].what}` : ""}`,
      where: entry?.place(["axes"]),
      fix: "widen `axes`, or remove a rule",
    });
  }
  if (findings.length > 0) throw errorOf(findings);
  const plan_id = entry?.document.plan_id ?? null;
  const covered: Record<string, Coverage> = plan_id !== null && coverage ? { [plan_id]: coverage } : {};
  return {
    plan_id,
    plan_ids: plan_id === null ? [] : [plan_id],
    manifest_id,
    cells: sortCells(cells, catalog.fragmentScheme),
    left_out,
    coverage: covered,
  };
}
