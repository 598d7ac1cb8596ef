import { errorOf, FactoryError } from "../errors.ts";
import { grouped } from "../model/count.ts";
import { valueText } from "../model/value.ts";
import type { CellInclude, Value } from "../schemas/types.ts";
import type { Inputs } from "./decide/attempts.ts";
import type { Column } from "./axes.ts";
import type { Coverage, PlannedCell } from "./cell.ts";
import { cover, MAX_TUPLES, tupleCount } from "./cover/cover.ts";
import { explainEmpty } from "../solver/explain.ts";
import type { Model } from "../solver/model.ts";
import { createSolver, enumerate } from "../solver/solver.ts";
import { verifyCoverage } from "./cover/verify.ts";
import { axisFinder, conditionsOf } from "./selectors.ts";
import type { Space } from "./space.ts";

/** A position in each column: one cell of the product. */
type Row = readonly number[];

const MAX_CELLS = 1_000_000;

/** How many axes are combined; null if every cell of the product is wanted. */
function strengthOf({ entry }: Space): number | null {
  const strategy = entry?.document.strategy ?? "all";
  if (strategy === "all") return null;
  return strategy === "pairwise" ? 2 : strategy.t;
}

/** A smallest set of rules that leaves no cell, if no cell is left. */
function contradiction({ entry, manifest, rules }: Space, model: Model): FactoryError | undefined {
  const at = explainEmpty(model);
  if (!at) return undefined;
  const guilty = at.flatMap((index) => rules[index] ?? []);
  const name = entry ? `the plan ${entry.document.plan_id}` : manifest.document.manifest_id;
  return errorOf([
    {
      code: "PLAN_EMPTY",
      what: `${name} has no cell: ${guilty.map(({ what }) => what).join("; and ")}`,
      where: guilty[0]?.where ?? entry?.place(["axes"]),
      fix:
        guilty.length > 1
          ? "these rules contradict each other: change one of them, or widen `axes`"
          : "change this rule, or widen `axes`",
    },
  ]);
}

/** `always` as rows with open positions. @throws FactoryError SEED_IMPOSSIBLE, UNKNOWN_AXIS */
function seedsOf({ entry, columns }: Space, model: Model): number[][] {
  const finder = axisFinder(columns);
  const solver = createSolver(model);
  return (entry?.document.always ?? []).map((always: CellInclude, index) => {
    const row = columns.map(() => -1);
    const refuse = (what: string) =>
      new FactoryError("SEED_IMPOSSIBLE", `rule ${index + 1} of \`always\` ${what}`, {
        where: entry?.place(["always", index]),
        fix: "use values that are in `axes` and that the rules allow, or put the cell under `include`",
      });
    const conditions = conditionsOf(always);
    for (const [name, value] of conditions) {
      const found = finder.get(name);
      if (!found) throw refuse(`names \`${name}\`, which is not an axis of this plan`);
      const before = row[found.column] ?? -1;
      const wanted = new Map(conditions);
      const at = positions(columns, found.column).find((position) =>
        (columns[found.column]?.axes ?? []).every(
          (axis) => !wanted.has(axis.name) || same(axis.values[position], wanted.get(axis.name)),
        ),
      );
      if (at === undefined || (before !== -1 && before !== at))
        throw refuse(`asks for ${name} ${valueText(value)}, which the axis does not have there`);
      row[found.column] = at;
    }
    if (!solver.complete(row)) throw refuse("asks for values that the rules forbid together");
    return row;
  });
}

function positions(columns: readonly Column[], column: number): number[] {
  return Array.from({ length: columns[column]?.size ?? 0 }, (_, at) => at);
}

function same(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && valueText(a) === valueText(b));
}

/**
 * The row of a plan that has these inputs; undefined if an axis does not have one of the values. Of the values of a named
 * axis that fit, it is the one that sets most.
 */
function rowOf(columns: readonly Column[], inputs: Inputs): number[] | undefined {
  const versions = new Map(inputs.fragments.map(({ name, version }) => [name, version]));
  const valueOf = (name: string): Value | undefined => {
    if (name === "platform") return inputs.platform;
    if (name === "base") return inputs.base.ref;
    if (name.startsWith("args.")) return inputs.args[name.slice(5)];
    return versions.get(name);
  };
  const row: number[] = [];
  for (const [at, { axes }] of columns.entries()) {
    const own = axes.filter(({ kind }) => kind !== "named");
    const settingAt = (position: number) => own.filter(({ unset }) => unset?.[position] !== true);
    const fitting = positions(columns, at).filter((position) =>
      settingAt(position).every(
        ({ name, values }) => valueOf(name) !== undefined && same(values[position], valueOf(name)),
      ),
    );
    const most = Math.max(...fitting.map((position) => settingAt(position).length));
    const found = fitting.find((position) => settingAt(position).length === most);
    if (found === undefined) return undefined;
    row.push(found);
  }
  return row;
}

/** Rows that records prove as they are today: the cell of such a row has the record's verdict key. */
function provenRows(
  space: Space,
  cellOf: (row: Row) => PlannedCell | undefined,
  proven: readonly Inputs[],
): number[][] {
  const rows = new Map<string, number[]>();
  for (const inputs of proven) {
    const row = rowOf(space.columns, inputs);
    if (!row || rows.has(row.join())) continue;
    if (cellOf(row)?.keys.verdict_key === inputs.verdict_key) rows.set(row.join(), row);
  }
  return [...rows.values()].sort((a, b) => {
    const at = a.findIndex((value, index) => value !== b[index]);
    return (a[at] ?? 0) - (b[at] ?? 0);
  });
}

/**
 * The cells of a plan as rows: all allowed ones of the product, or enough of them that each allowed combination of `t`
 * axes' values is in one. The coverage is counted again from the rows.
 * @param cellOf makes the cell of a row; undefined if no versions fit
 * @throws FactoryError PLAN_EMPTY, PLAN_TOO_LARGE, STRATEGY_TOO_STRONG, SEED_IMPOSSIBLE
 */
export function chooseRows(
  space: Space,
  cellOf: (row: Row) => PlannedCell | undefined,
  proven: ((manifestId: string) => readonly Inputs[]) | undefined,
): { rows: Row[]; coverage: Coverage | null } {
  const { entry, columns, rules, manifest } = space;
  const model: Model = { sizes: columns.map(({ size }) => size), forbidden: rules };
  const product = columns.reduce((total, { size }) => total * size, 1);
  const where = entry?.place([entry.document.axes ? "axes" : "plan_id"]);
  const t = strengthOf(space);
  if (t === null && product > MAX_CELLS) {
    throw new FactoryError(
      "PLAN_TOO_LARGE",
      `the axes of the plan multiply to ${grouped(product)} cells; the limit is ${grouped(MAX_CELLS)}`,
      { where, fix: "shorten the axes, split the plan, or choose among the cells: `strategy: pairwise`" },
    );
  }
  // A small product is enumerated anyway, which shows whether it is empty.
  const empty = t === null ? undefined : contradiction(space, model);
  if (empty) throw empty;
  const seeds = seedsOf(space, model);
  if (t === null) {
    const rows = [...enumerate(model)];
    const none = rows.length === 0 && (entry?.document.include ?? []).length === 0;
    const why = none ? contradiction(space, model) : undefined;
    if (why) throw why;
    return { rows, coverage: null };
  }
  const varying = columns.filter(({ size }) => size > 1).length;
  if (t > varying) {
    throw new FactoryError(
      "STRATEGY_TOO_STRONG",
      `the strategy combines ${t} axes, but only ${varying} of the plan's axes ${varying === 1 ? "has" : "have"} more than one value`,
      { where: entry?.place(["strategy"]), fix: "use a smaller `t`, or `strategy: all`" },
    );
  }
  const tuples = tupleCount(model.sizes, t);
  if (tuples > MAX_TUPLES) {
    throw new FactoryError(
      "PLAN_TOO_LARGE",
      `the plan has ${grouped(tuples)} combinations of ${t} values; the limit is ${grouped(MAX_TUPLES)}`,
      { where: entry?.place(["strategy"]), fix: "use a smaller `t`, or shorten the axes" },
    );
  }
  const known = proven ? provenRows(space, cellOf, proven(manifest.document.manifest_id)) : [];
  const covering = cover(model, { t, seeds, proven: known });
  const rows = [...covering.usedProven.flatMap((at) => (known[at] ? [known[at]] : [])), ...covering.rows];
  const distinct = [...new Map(rows.map((row) => [row.join(), row])).values()];
  const { allowed, covered } = verifyCoverage(model, t, distinct);
  if (covered < allowed) throw new Error(`${allowed - covered} of ${allowed} combinations are not covered`);
  return { rows: distinct, coverage: { t, allowed, covered, product, proven: covering.usedProven.length } };
}
