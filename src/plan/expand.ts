import type { Catalog } from "../catalog/catalog.ts";
import { errorOf, FactoryError } from "../errors.ts";
import { ageMs } from "../model/age.ts";
import { compareText } from "../model/compare.ts";
import { valueText } from "../model/value.ts";
import type { CellInclude, Expectation, Value } from "../schemas/types.ts";
import { parentOf } from "../stitch/parents.ts";
import { recipeOf } from "../stitch/recipe.ts";
import { type Choice, resolve, type Resolved } from "../stitch/resolve.ts";
import {
  type DigestOf,
  firstOf,
  imageLabels,
  cellInputs,
  keysFor,
  stitchResolved,
} from "../stitch/stitch.ts";
import type { Column } from "./axes.ts";
import {
  type Cell,
  type Coverage,
  type Expected,
  type LeftOut,
  planCell,
  type Planned,
  type PlannedCell,
} from "./cell.ts";
import { placed } from "./arg-values.ts";
import { cellId, parentCellId, tagOf, targetName } from "./cell-names.ts";
import { duplicateFindings, unknownCellFindings } from "./cell-findings.ts";
import { sortCells } from "./order.ts";
import { cacheFrom, cacheTo } from "./prefix.ts";
import { axisFinder, conditionsOf, holds } from "./conditions.ts";
import { type Given, type PlanRequest, readSpace, type Space } from "./space.ts";
import { chooseRows } from "./strategy.ts";

/** What one row of a plan chose, by axis name. */
type Chosen = ReadonlyMap<string, Value>;

function chosenBy(columns: readonly Column[], row: readonly number[]): Map<string, Value> {
  const chosen = new Map<string, Value>();
  for (const [at, { axes }] of columns.entries())
    for (const { name, values } of axes) chosen.set(name, values[row[at] ?? 0] ?? "");
  return chosen;
}

/** Findings of contracts that remove an included row without making the plan wrong. */
const RULED_OUT = new Set(["REQUIRES_VERSION", "CONFLICT", "PLATFORM_UNSUPPORTED"]);

/** The value of an argument by its name, `port` or `app.port`; undefined if there is none. */
function argOf({ pieces }: Resolved, name: string): Value | undefined {
  const [own = "", fragment] = name.split(".").reverse();
  return pieces.find(
    ({ entry, args }) =>
      Object.hasOwn(args, own) && (fragment === undefined || entry.document.name === fragment),
  )?.args[own];
}

/** Makes the cells of one plan. */
function cellMaker(catalog: Catalog, space: Space, request: PlanRequest, given: Given) {
  const { entry, manifest, fixed } = space;
  const { manifest_id } = manifest.document;
  const { repository, cache_repository, max_age } = catalog.settings();
  const plan_ids = entry ? [entry.document.plan_id] : [];
  const fixedNames = new Set(Object.keys(fixed));
  const maxAge = ageMs(entry?.document.max_age ?? max_age);
  const expectations = (entry?.document.expect ?? []).map((one: Expectation) => ({
    ...one,
    conditions: one.when ? conditionsOf(one.when) : null,
  }));
  const ownArgs = "planId" in request ? {} : (request.args ?? {});

  const expectedOf = (
    cell_id: string,
    resolved: Resolved,
    platform: string,
    chosen: Chosen,
  ): Expected | null => {
    const holding = expectations.filter(({ conditions, cell_id: only }) => {
      if (!conditions) return only === cell_id;
      return conditions.every(([name, condition]) => {
        if (name === "platform") return platform === condition;
        if (name === "base") return resolved.base === condition;
        if (name.startsWith("args.")) {
          const value = chosen.get(name) ?? argOf(resolved, name.slice("args.".length));
          return value !== undefined && holds(name, value, condition, catalog.fragmentScheme);
        }
        const version = resolved.pieces.find(({ entry: one }) => one.document.name === name)?.entry.document
          .version;
        return version !== undefined && holds(name, version, condition, catalog.fragmentScheme);
      });
    });
    const [first] = holding;
    if (!first) return null;
    const { result, owner } = first;
    const until = holding.map((one) => one.until).sort(compareText)[0] ?? first.until;
    return { result, owner, until, reason: holding.map(({ reason }) => reason).join("; ") };
  };

  const make = (chosen: Chosen): PlannedCell => {
    const set: Record<string, string> = { ...fixed };
    const args: Record<string, Value> = { ...ownArgs };
    let base: string | undefined;
    let platform = "";
    for (const [name, value] of chosen) {
      if (name === "platform") platform = valueText(value);
      else if (name === "base") base = valueText(value);
      else if (name.startsWith("args.")) args[name.slice("args.".length)] = value;
      else set[name] = valueText(value);
    }
    const choice: Choice = { set, args, base, platforms: [platform], pick: given.pins?.version };
    const resolved = resolve(catalog, manifest_id, choice);
    const recipe = recipeOf(catalog, resolved);
    const id: [string, Value][] = [];
    for (const { name, version } of recipe.fragments)
      if (fixedNames.has(name) || chosen.has(name)) id.push([name, version]);
    for (const [name, value] of chosen)
      if (name === "base" || name.startsWith("args.")) id.push([name, value]);
    const cell_id = cellId(manifest_id, id, platform);
    const expect = expectations.length === 0 ? null : expectedOf(cell_id, resolved, platform, chosen);
    const pinnedBy = (digestOf: DigestOf | undefined): PlannedCell => {
      const target = { digestOf, platform, environment: given.environment };
      const keys = keysFor(recipe, target, parentOf(catalog, resolved, target));
      const cell: Cell = {
        cell_id,
        manifest_id,
        plan_ids,
        platform,
        fragments: Object.fromEntries(recipe.fragments.map(({ name, version }) => [name, version])),
        base: keys.base,
        ...(keys.parent && { parent: parentCellId(keys.parent.manifest_id, platform) }),
        images: keys.images,
        args: keys.args,
        recipe_key: keys.recipe_key,
        build_key: keys.build_key,
        verdict_key: keys.verdict_key,
        target: targetName(cell_id),
        tags: [`${repository}/${manifest_id}:${tagOf(cell_id.slice(manifest_id.length + 1))}`],
        cache_from: cacheFrom(cache_repository, recipe.prefixes, platform),
        cache_to: cacheTo(cache_repository, recipe.prefixes, platform),
        action: "build",
        reason: "NOT_ASKED",
        changes: [],
        record_id: null,
        expect,
      };
      return planCell({
        cell,
        keys,
        render: () => stitchResolved(catalog, resolved, target),
        makeInputs: () => cellInputs(catalog, resolved, { ...target, cell_id }),
        makeLabels: () => imageLabels(resolved, keys),
        maxAge,
        neverReused: recipe.neverReused,
        pin: (more) => pinnedBy(digestOf ? firstOf(digestOf, more) : more),
      });
    };
    return pinnedBy(given.digestOf);
  };
  return (chosen: Chosen): PlannedCell => {
    try {
      return make(chosen);
    } catch (error) {
      throw error instanceof FactoryError ? placed(error, entry) : error;
    }
  };
}

/** The rows that `include` adds, each once per platform. */
function includedRows({ entry, columns }: Space): Map<string, Value>[] {
  const platforms = axisFinder(columns).get("platform")?.axis.values ?? [];
  return (entry?.document.include ?? []).flatMap((include: CellInclude) => {
    const conditions = conditionsOf(include);
    const own = new Map(conditions).get("platform");
    return (own === undefined ? platforms : [own]).map(
      (platform) => new Map<string, Value>([...conditions, ["platform", platform]]),
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

  const { rows, coverage } = chooseRows(space, (row) => make(chosenBy(columns, row)), given.proven);
  const cells = rows.map((row) => make(chosenBy(columns, row)));
  const left_out: LeftOut[] = rules
    .filter(({ where }) => where?.file !== entry?.file)
    .map(({ forbids, what }) => ({ values: forbids, what }));
  for (const chosen of includedRows(space)) {
    try {
      cells.push(make(chosen));
    } catch (error) {
      if (!(error instanceof FactoryError) || !error.findings?.every(({ code }) => RULED_OUT.has(code)))
        throw error;
      const values = Object.fromEntries([...chosen].map(([name, value]) => [name, valueText(value)]));
      left_out.push({ values, what: error.findings.map(({ what }) => what).join("; ") });
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
