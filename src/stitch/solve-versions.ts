import type { Catalog } from "../catalog/catalog.ts";
import { FactoryError } from "../errors.ts";
import { explainEmpty } from "../solver/explain.ts";
import type { Nogood } from "../solver/model.ts";
import { createSolver } from "../solver/solver.ts";

/** Versions that a fragment may have, by its name, the preferred one first. */
export type Candidates = ReadonlyMap<string, readonly string[]>;

/** How many decisions one search for versions may take. */
const MAX_STEPS = 200_000;

/** Versions that may not be chosen together, and why. */
interface VersionRule extends Nogood {
  what: string;
}

/** The contract of a version; undefined if it cannot be read, which is found where the version is used. */
function contractOf(catalog: Catalog, name: string, version: string) {
  try {
    return catalog.fragment(name, version).document;
  } catch (error) {
    if (error instanceof FactoryError) return undefined;
    throw error;
  }
}

/** Without the versions whose contract cannot be read. */
export function readable(catalog: Catalog, name: string, versions: readonly string[]): string[] {
  return versions.filter((version) => contractOf(catalog, name, version) !== undefined);
}

function maskOf(versions: readonly string[], holds: (version: string) => boolean): Uint8Array {
  return Uint8Array.from(versions, (version) => (holds(version) ? 1 : 0));
}

/** What the contracts of all candidates forbid: one rule for the versions that say the same. */
function contractRules(catalog: Catalog, candidates: Candidates): VersionRule[] {
  const names = [...candidates.keys()];
  const said = new Map<
    string,
    { name: string; field: "requires" | "conflicts"; other: string; range: string; by: string[] }
  >();
  for (const [name, versions] of candidates) {
    for (const version of versions) {
      const document = contractOf(catalog, name, version);
      for (const field of ["requires", "conflicts"] as const) {
        for (const [other, range] of Object.entries(document?.[field] ?? {})) {
          if (!candidates.has(other)) continue;
          const key = [name, field, other, range].join("\n");
          const known = said.get(key);
          if (known) known.by.push(version);
          else said.set(key, { name, field, other, range, by: [version] });
        }
      }
    }
  }
  return [...said.values()].map(({ name, field, other, range, by }) => {
    const scheme = catalog.fragmentScheme(other);
    const own = new Set(by);
    return {
      columns: [names.indexOf(name), names.indexOf(other)],
      values: [
        maskOf(candidates.get(name) ?? [], (version) => own.has(version)),
        maskOf(
          candidates.get(other) ?? [],
          (version) => scheme.satisfies(version, range) === (field === "conflicts"),
        ),
      ],
      what:
        field === "requires"
          ? `${name} ${by.join(", ")} requires ${other} ${range}`
          : `${name} ${by.join(", ")} conflicts with ${other} ${range}`,
    };
  });
}

/**
 * One version of each fragment such that all requirements and conflicts among them are met: the first fragment gets the
 * first of its candidates for which there is an answer at all, then the second, and so on. undefined if there is none.
 * @throws FactoryError SEARCH_TOO_LONG
 */
export function solveVersions(catalog: Catalog, candidates: Candidates): Map<string, string> | undefined {
  const all = [...candidates];
  const sizes = all.map(([, versions]) => versions.length);
  const solver = createSolver({ sizes, forbidden: contractRules(catalog, candidates) }, { left: MAX_STEPS });
  const row = sizes.map(() => -1);
  if (sizes.includes(0) || !solver.feasible(row)) return undefined;
  for (const [column, size] of sizes.entries()) {
    row[column] = 0;
    while (row[column] < size - 1 && !solver.feasible(row)) row[column] += 1;
  }
  return new Map(all.map(([name, versions], column) => [name, versions[row[column] ?? 0] ?? ""]));
}

/**
 * Why no versions fit together, where that is so: a smallest set of ranges and contracts that contradict each other, as
 * texts, and the fragments that they are about.
 * @param asked what is asked of each fragment, with the versions that this allows
 * @throws FactoryError SEARCH_TOO_LONG
 */
export function contradictionAmong(
  catalog: Catalog,
  asked: ReadonlyMap<string, { range: string; allowed: readonly string[] }>,
): { names: string[]; why: string[] } {
  const names = [...asked.keys()];
  const existing: Candidates = new Map(
    names.map((name) => [name, readable(catalog, name, catalog.fragmentVersions(name))]),
  );
  const ranges = [...asked].map(([name, { range, allowed }], column): VersionRule => ({
    columns: [column],
    values: [maskOf(existing.get(name) ?? [], (version) => !allowed.includes(version))],
    what: `${range} is asked for ${name}`,
  }));
  const rules = [...ranges, ...contractRules(catalog, existing)];
  const sizes = names.map((name) => existing.get(name)?.length ?? 0);
  const guilty = (explainEmpty({ sizes, forbidden: rules }, { left: MAX_STEPS }) ?? []).flatMap(
    (at) => rules[at] ?? [],
  );
  const about = new Set(guilty.flatMap(({ columns }) => columns));
  return { names: names.filter((_, column) => about.has(column)), why: guilty.map(({ what }) => what) };
}
