import type { Catalog, Entry } from "../catalog/catalog.ts";
import { valueProblem } from "../catalog/value-rules.ts";
import { errorOf, type FactoryError, type Finding, type Place } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ArgDeclaration, Plan, Value } from "../schemas/types.ts";
import { coerce } from "../stitch/args.ts";
import type { Column } from "./axes.ts";
import type { Constants } from "./conditions.ts";
import { namedZips } from "./zip-values.ts";
import { axisFinder, type Condition, isNumberRange } from "./selectors.ts";

type Path = readonly (string | number)[];

/** A value that a plan gives to an argument, or asks of one. */
interface Named {
  /** `port`, or `app.port`. */
  name: string;
  value: Condition;
  path: Path;
  /** Whether a selector asks for it: then it may be a range, or a list of values. */
  asked: boolean;
}

/** Every argument's value that a plan names. */
function valuesOf(plan: Plan): Named[] {
  const { axes, always, include, exclude, constraints, expect } = plan;
  const named: Named[] = [];
  const add = (args: Readonly<Record<string, Condition>> | undefined, path: Path, asked = true) => {
    for (const [name, value] of Object.entries(args ?? {}))
      named.push({ name, value, path: [...path, name], asked });
  };
  for (const [name, values] of Object.entries(axes?.args ?? {}))
    for (const [at, value] of values.entries())
      named.push({ name, value, path: ["axes", "args", name, at], asked: false });
  for (const { zip, at } of namedZips(plan))
    for (const [value, { args }] of Object.entries(zip.values))
      add(args, ["zip", at, "values", value, "args"], false);
  for (const [list, cells] of Object.entries({ always, include }))
    for (const [at, cell] of (cells ?? []).entries()) add(cell.args, [list, at, "args"], false);
  for (const [at, cell] of (exclude ?? []).entries()) add(cell.args, ["exclude", at, "args"]);
  for (const [at, { when, then }] of (constraints ?? []).entries()) {
    add(when.args, ["constraints", at, "when", "args"]);
    add(then.args, ["constraints", at, "then", "args"]);
  }
  for (const [at, { when }] of (expect ?? []).entries()) add(when?.args, ["expect", at, "when", "args"]);
  return named;
}

/** What is wrong with a value by a declaration; of a condition that stands for several values, the first problem. */
function problemOf({ value, asked }: Named, declaration: ArgDeclaration): ReturnType<typeof valueProblem> {
  if (asked && isNumberRange(value) && declaration.type === "integer") return undefined;
  const several = Array.isArray(value) && (declaration.type !== "list" || value.some(Array.isArray));
  if (!asked || !several) return valueProblem(coerce(value as Value, declaration), declaration);
  for (const [at, one] of (value as readonly Value[]).entries()) {
    const problem = problemOf({ name: "", value: one, path: [], asked }, declaration);
    if (problem) return { ...problem, at: [at, ...problem.at] };
  }
  return undefined;
}

/** A declaration of an argument, and what declares it. */
interface Declared {
  declaration: ArgDeclaration;
  by: string;
  file: string;
}

/**
 * Findings about values of arguments that no version of their fragment in the plan allows. A value that some of them allow
 * is refused for the cells in which it is wrong.
 */
export function argValueFindings(about: {
  catalog: Catalog;
  entry: Entry<Plan>;
  manifest: Entry<Manifest>;
  columns: readonly Column[];
  constants: Constants;
}): Finding[] {
  const { catalog, entry, manifest, columns, constants } = about;
  const named = valuesOf(entry.document);
  if (named.length === 0) return [];
  const finder = axisFinder(columns);
  const versionsOf = (fragment: string): string[] => {
    const included = (entry.document.include ?? []).flatMap((cell) => {
      const version: unknown = cell[fragment];
      return typeof version === "string" ? [version] : [];
    });
    const constant = constants.get(fragment);
    const own = finder.get(fragment)?.axis.values ?? (constant === undefined ? [] : [constant]);
    return [...new Set([...(own as string[]), ...included])];
  };
  const declared: Declared[] = Object.keys(manifest.document.fragments).flatMap((fragment) =>
    versionsOf(fragment).flatMap((version) => {
      const { document, file } = catalog.fragment(fragment, version);
      return Object.entries(document.args ?? {}).map(([name, declaration]) => ({
        declaration,
        by: `${fragment}.${name}`,
        file,
      }));
    }),
  );
  return named.flatMap((one): Finding[] => {
    const { name, path } = one;
    const own = declared.filter(({ by }) => by === name || by.endsWith(`.${name}`));
    const problems = own.map(({ declaration }) => problemOf(one, declaration));
    const [problem] = problems;
    if (!problem || problems.includes(undefined)) return [];
    return [
      {
        code: "ARG_TYPE",
        what: `the argument \`${name}\`: ${problem.what}`,
        where: entry.place([...path, ...problem.at]),
        fix: `it is declared in ${[...new Set(own.map(({ file }) => file))].join(", ")}`,
      },
    ];
  });
}

/** The place where a plan gives an argument a value: its axis, a value of a named one, or else a row of `include`. */
function placeOfArg({ document, place }: Entry<Plan>, name: string): Place {
  const at = (document.include ?? []).findIndex(({ args }) => Object.hasOwn(args ?? {}, name));
  if (Object.hasOwn(document.axes?.args ?? {}, name)) return place(["axes", "args", name]);
  for (const { zip, at: index } of namedZips(document)) {
    const [value] = Object.entries(zip.values).find(([, { args }]) => Object.hasOwn(args ?? {}, name)) ?? [];
    if (value !== undefined) return place(["zip", index, "values", value, "args", name]);
  }
  return place(at < 0 ? ["axes", "args", name] : ["include", at, "args", name]);
}

/** Gives findings that a plan's value caused the place of that value. */
export function placed(error: FactoryError, entry: Entry<Plan> | null): FactoryError {
  const findings = error.findings;
  if (!entry || !findings) return error;
  return errorOf(
    findings.map((one) => {
      const name = one.where === undefined ? /argument `([^`]+)`/.exec(one.what)?.[1] : undefined;
      return name === undefined ? one : { ...one, where: placeOfArg(entry, name) };
    }),
  );
}
