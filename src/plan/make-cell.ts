import type { Catalog } from "../catalog/catalog.ts";
import { splitArgName } from "../catalog/names.ts";
import { FactoryError } from "../errors.ts";
import { ageMs } from "../model/age.ts";
import { compareText } from "../model/compare.ts";
import { valueText } from "../model/value.ts";
import type { Expectation, Value } from "../schemas/types.ts";
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
import { placed } from "./arg-values.ts";
import type { Axis, Column } from "./axes.ts";
import { type Cell, type Expected, planCell, type PlannedCell } from "./cell.ts";
import { cellId, parentCellId, tagOf, targetName } from "./cell-names.ts";
import { cacheFrom, cacheTo } from "./prefix.ts";
import { conditionsOf, holds, schemesOf } from "./selectors.ts";
import type { Given, PlanRequest, Space } from "./space.ts";

/** What one row of a plan chose, by axis name. */
type Chosen = ReadonlyMap<string, Value>;

/** What a row chose. */
export function chosenBy(columns: readonly Column[], row: readonly number[]): Map<string, Value> {
  const chosen = new Map<string, Value>();
  for (const [at, { axes }] of columns.entries()) addChosen(chosen, axes, row[at] ?? 0);
  return chosen;
}

/** Adds what the axes of a column have at a position, without what is left to the manifest there. */
export function addChosen(chosen: Map<string, Value>, axes: readonly Axis[], position: number): void {
  for (const { name, values, unset } of axes) {
    const value = values[position];
    if (unset?.[position] !== true && value !== undefined) chosen.set(name, value);
  }
}

/** The value of an argument by its name, `port` or `app.port`; undefined if there is none. */
function argOf({ pieces }: Resolved, name: string): Value | undefined {
  const { fragment, own } = splitArgName(name);
  return pieces.find(
    ({ entry, args }) =>
      Object.hasOwn(args, own) && (fragment === undefined || entry.document.name === fragment),
  )?.args[own];
}

/** What a cell has for the name of an axis, whether it is one or not; undefined if it has nothing by that name. */
function valueIn(
  name: string,
  { resolved, platform, chosen }: { resolved: Resolved; platform: string; chosen: Chosen },
): Value | undefined {
  if (name === "platform") return platform;
  if (name === "base") return resolved.base;
  if (name.startsWith("args.")) return chosen.get(name) ?? argOf(resolved, name.slice("args.".length));
  const piece = resolved.pieces.find(({ entry }) => entry.document.name === name);
  return piece?.entry.document.version ?? chosen.get(name);
}

/** Makes the cells of one plan. */
export function cellMaker(catalog: Catalog, space: Space, request: PlanRequest, given: Given) {
  const { entry, manifest, fixed, columns } = space;
  const { manifest_id } = manifest.document;
  const { repository, cache, max_age } = catalog.settings();
  const place = cache?.place ?? null;
  const plan_ids = entry ? [entry.document.plan_id] : [];
  const fixedNames = new Set(Object.keys(fixed));
  const schemeOf = schemesOf(catalog.fragmentScheme, columns);
  const named = new Map(
    columns.flatMap(({ axes }) => axes.flatMap(({ name, sets }) => (sets ? [[name, sets] as const] : []))),
  );
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
        const value = valueIn(name, { resolved, platform, chosen });
        return value !== undefined && holds(name, value, condition, schemeOf);
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
    const axes: Record<string, string> = {};
    for (const [name, value] of chosen) {
      if (name === "platform") platform = valueText(value);
      else if (name === "base") base = valueText(value);
      else if (name.startsWith("args.")) args[name.slice("args.".length)] = value;
      else if (named.has(name)) axes[name] = valueText(value);
      else set[name] = valueText(value);
    }
    const choice: Choice = { set, args, base, platforms: [platform], pick: given.pins?.version };
    const resolved = resolve(catalog, manifest_id, choice);
    const recipe = recipeOf(catalog, resolved);
    // An id has the value of a named axis in place of what that sets, and no value that every cell of the plan has.
    const hidden = new Set(Object.keys(axes).flatMap((name) => named.get(name) ?? []));
    const id: [string, Value][] = [];
    const varies = [...chosen.keys()].some((name) => name !== "platform");
    for (const { name, version } of recipe.fragments)
      if ((chosen.has(name) && !hidden.has(name)) || (!varies && fixedNames.has(name)))
        id.push([name, version]);
    for (const [name, value] of chosen)
      if ((name === "base" || name.startsWith("args.") || named.has(name)) && !hidden.has(name))
        id.push([name, value]);
    const cell_id = cellId(manifest_id, id, platform);
    const expect = expectations.length === 0 ? null : expectedOf(cell_id, resolved, platform, chosen);
    const pinnedBy = (digestOf: DigestOf | undefined): PlannedCell => {
      const target = { digestOf, platform, environment: given.environment };
      const keys = keysFor(recipe, target, parentOf(catalog, resolved, target));
      const cell: Cell = {
        cell_id,
        ...(named.size > 0 && { named: axes }),
        manifest_id,
        plan_ids,
        platform,
        fragments: Object.fromEntries(recipe.fragments.map(({ name, version }) => [name, version])),
        ...(resolved.lowered.length > 0 && { lowered: resolved.lowered }),
        base: keys.base,
        ...(keys.parent && { parent: parentCellId(keys.parent.manifest_id, platform) }),
        images: keys.images,
        args: keys.args,
        recipe_key: keys.recipe_key,
        build_key: keys.build_key,
        verdict_key: keys.verdict_key,
        target: targetName(cell_id),
        tags: [`${repository}/${manifest_id}:${tagOf(cell_id.slice(manifest_id.length + 1))}`],
        cache_from: cacheFrom(place, recipe.prefixes, platform),
        cache_to: cacheTo(place, recipe.prefixes, platform),
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
