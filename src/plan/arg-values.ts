import type { Catalog, Entry } from "../catalog/catalog.ts";
import { valueProblem } from "../catalog/value-rules.ts";
import { errorOf, type FactoryError, type Finding, type Place } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ArgDeclaration, Plan, Value } from "../schemas/types.ts";
import { coerce } from "../stitch/args.ts";
import type { Column } from "./axes.ts";
import { axisFinder, type Constants } from "./conditions.ts";

type Path = readonly (string | number)[];

/** A value that a plan gives to an argument, or asks of one. */
interface Named {
  /** `port`, or `app.port`. */
  name: string;
  value: Value;
  path: Path;
}

/** Every argument's value that a plan names. */
function valuesOf({ axes, always, include, exclude, constraints, expect }: Plan): Named[] {
  const named: Named[] = [];
  const add = (args: Readonly<Record<string, Value>> | undefined, path: Path) => {
    for (const [name, value] of Object.entries(args ?? {}))
      named.push({ name, value, path: [...path, name] });
  };
  for (const [name, values] of Object.entries(axes?.args ?? {}))
    for (const [at, value] of values.entries()) named.push({ name, value, path: ["axes", "args", name, at] });
  for (const [list, cells] of Object.entries({ always, include, exclude }))
    for (const [at, cell] of (cells ?? []).entries()) add(cell.args, [list, at, "args"]);
  for (const [at, { when, then }] of (constraints ?? []).entries()) {
    add(when.args, ["constraints", at, "when", "args"]);
    add(then.args, ["constraints", at, "then", "args"]);
  }
  for (const [at, { when }] of (expect ?? []).entries()) add(when?.args, ["expect", at, "when", "args"]);
  return named;
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
  return named.flatMap(({ name, value, path }): Finding[] => {
    const own = declared.filter(({ by }) => by === name || by.endsWith(`.${name}`));
    const problems = own.map(({ declaration }) => valueProblem(coerce(value, declaration), declaration));
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

/** The place where a plan gives an argument a value: its axis, or else a row of `include`. */
function placeOfArg({ document, place }: Entry<Plan>, name: string): Place {
  const at = (document.include ?? []).findIndex(({ args }) => Object.hasOwn(args ?? {}, name));
  const isAxis = Object.hasOwn(document.axes?.args ?? {}, name);
  return place(isAxis || at < 0 ? ["axes", "args", name] : ["include", at, "args", name]);
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
