import type { Catalog, Entry } from "../catalog/catalog.ts";
import { didYouMean } from "../catalog/suggest.ts";
import type { Finding, Place } from "../errors.ts";
import { valueText } from "../model/value.ts";
import type { Manifest } from "../model/manifest.ts";
import type { CellSelector, Plan, Value } from "../schemas/types.ts";
import type { Column } from "./axes.ts";
import type { Nogood } from "../solver/model.ts";
import { axisFinder, type Condition, conditionsOf, conditionText, holds, schemesOf } from "./selectors.ts";

/** What a rule says about one combination of values that it forbids. */
export interface Rule extends Nogood {
  /** Values that may not occur together, by axis, as text for people. */
  forbids: Record<string, string>;
  what: string;
  where: Place | undefined;
}

/** Values that are the same in every cell, by the name that an axis would have. */
export type Constants = ReadonlyMap<string, Value>;

/** Tests of the values of some axes. A rule forbids a combination if all of them hold. */
type Tests = ReadonlyMap<string, (value: Value) => boolean>;

/**
 * A forbidden combination as masks over the positions of columns. null if it can never occur, because of a constant or
 * because no value fulfils one of the tests.
 */
export function nogoodOf(
  columns: readonly Column[],
  finder: ReturnType<typeof axisFinder>,
  constants: Constants,
  tests: Tests,
): Nogood | null {
  const masks = new Map<number, Uint8Array>();
  for (const [name, test] of tests) {
    const found = finder.get(name);
    if (!found) {
      const constant = constants.get(name);
      if (constant === undefined || !test(constant)) return null;
      continue;
    }
    const { axis, column } = found;
    const mask = masks.get(column) ?? new Uint8Array(columns[column]?.size ?? 0).fill(1);
    for (const [at, value] of axis.values.entries()) if (value === undefined || !test(value)) mask[at] = 0;
    masks.set(column, mask);
  }
  const sorted = [...masks].sort(([a], [b]) => a - b);
  if (sorted.some(([, mask]) => !mask.includes(1))) return null;
  return { columns: sorted.map(([column]) => column), values: sorted.map(([, mask]) => mask) };
}

/** Whether a rule forbids every combination. */
function forbidsAll({ values }: Nogood): boolean {
  return values.every((mask) => !mask.includes(0));
}

function textOf(conditions: readonly [string, Condition][]): string {
  return conditions.map(([name, value]) => `${name} ${conditionText(value)}`).join(", ");
}

export interface RuleSources {
  catalog: Catalog;
  /** null for a manifest by itself, which has no rules of its own. */
  entry: Entry<Plan> | null;
  manifest: Entry<Manifest>;
  columns: readonly Column[];
  constants: Constants;
  /** Fragments whose range is solved anew for each cell, so that they have no version of their own. */
  open: ReadonlySet<string>;
}

/** Names in a selector that are neither an axis nor a fragment, the base or the platform. */
function unknownNames(
  sources: RuleSources & { entry: Entry<Plan> },
  selector: CellSelector,
  path: readonly (string | number)[],
): Finding[] {
  const finder = axisFinder(sources.columns);
  return conditionsOf(selector).flatMap(([name]): Finding[] => {
    const axis = finder.get(name)?.axis;
    const open = axis?.values.findIndex((value) => value === undefined) ?? -1;
    const by = sources.columns[finder.get(name)?.column ?? -1]?.axes[0];
    if (open >= 0 && by) {
      return [
        {
          code: "RULE_UNUSED",
          what: `a rule asks for \`${name}\`, which \`${valueText(by.values[open] ?? "")}\` of \`${by.name}\` does not set`,
          where: sources.entry.place([...path, "args", name.slice(5)]),
          fix: `set it in each value of \`${by.name}\`, or name \`${by.name}\` in the rule`,
        },
      ];
    }
    if (axis || (sources.constants.has(name) && !sources.open.has(name))) return [];
    if (sources.open.has(name)) {
      return [
        {
          code: "RULE_UNUSED",
          what: `a rule asks for \`${name}\`, whose range is solved for each cell`,
          where: sources.entry.place([...path, name]),
          fix: `make it an axis, such as \`${name}: "*"\``,
        },
      ];
    }
    const known = [...new Set([...finder.keys(), ...sources.constants.keys()])];
    const guess = didYouMean(name, known);
    return [
      {
        code: "UNKNOWN_AXIS",
        what: `\`${name}\` is neither an axis of this plan nor a fragment of ${sources.manifest.document.manifest_id}`,
        where: sources.entry.place([
          ...path,
          ...(name.startsWith("args.") ? ["args", name.slice(5)] : [name]),
        ]),
        fix: guess ? `did you mean \`${guess}\`?` : `there are: ${known.join(", ")}`,
      },
    ];
  });
}

/** What the `exclude` and `constraints` of a plan forbid. A rule that removes nothing or everything is a finding. */
export function ownRules(sources: RuleSources & { entry: Entry<Plan> }, findings: Finding[]): Rule[] {
  const { entry, columns, constants } = sources;
  const schemeOf = schemesOf(sources.catalog.fragmentScheme, columns);
  const finder = axisFinder(columns);
  const rules: Rule[] = [];
  const judge = (
    made: readonly Rule[],
    rule: { path: readonly (string | number)[]; name: string; nothing: string },
  ) => {
    const where = entry.place(rule.path);
    if (made.length === 0) {
      findings.push({
        code: "RULE_UNUSED",
        what: `${rule.name} ${rule.nothing}`,
        where,
        fix: "correct it, or remove it",
      });
    }
    if (made.some(forbidsAll)) {
      findings.push({
        code: "RULE_REMOVES_ALL",
        what: `${rule.name} removes every cell of the plan`,
        where,
        fix: "narrow it, or remove it",
      });
    }
    rules.push(...made);
  };
  for (const [at, selector] of (entry.document.exclude ?? []).entries()) {
    const path = ["exclude", at];
    const unknown = unknownNames(sources, selector, path);
    findings.push(...unknown);
    if (unknown.length > 0) continue;
    const conditions = conditionsOf(selector);
    const tests = new Map(
      conditions.map(([name, value]) => [name, (one: Value) => holds(name, one, value, schemeOf)]),
    );
    const nogood = nogoodOf(columns, finder, constants, tests);
    const forbids = Object.fromEntries(conditions.map(([name, value]) => [name, conditionText(value)]));
    const what = `rule ${at + 1} of \`exclude\` removes ${textOf(conditions)}`;
    judge(nogood ? [{ ...nogood, forbids, what, where: entry.place(path) }] : [], {
      path,
      name: `rule ${at + 1} of \`exclude\``,
      nothing: "matches no cell of the plan",
    });
  }
  for (const [at, { when, then, reason }] of (entry.document.constraints ?? []).entries()) {
    const path = ["constraints", at];
    const unknown = [
      ...unknownNames(sources, when, [...path, "when"]),
      ...unknownNames(sources, then, [...path, "then"]),
    ];
    findings.push(...unknown);
    if (unknown.length > 0) continue;
    const conditions = conditionsOf(when);
    const made = conditionsOf(then).flatMap(([name, wanted]): Rule[] => {
      const tests = new Map<string, (value: Value) => boolean>(
        conditions.map(([one, value]) => [one, (own: Value) => holds(one, own, value, schemeOf)]),
      );
      const before = tests.get(name);
      tests.set(name, (own) => (before?.(own) ?? true) && !holds(name, own, wanted, schemeOf));
      const nogood = nogoodOf(columns, finder, constants, tests);
      if (!nogood) return [];
      const forbids = {
        ...Object.fromEntries(conditions.map(([one, value]) => [one, conditionText(value)])),
        [name]: `not ${conditionText(wanted)}`,
      };
      const what = `rule ${at + 1} of \`constraints\`: ${textOf(conditions)} needs ${name} ${conditionText(wanted)}${reason === undefined ? "" : ` (${reason})`}`;
      return [{ ...nogood, forbids, what, where: entry.place(path) }];
    });
    judge(made, {
      path,
      name: `rule ${at + 1} of \`constraints\``,
      nothing: "rules out no cell of the plan",
    });
  }
  return rules;
}
