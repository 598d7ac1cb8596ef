import type { Entry } from "../catalog/catalog.ts";
import type { Scheme } from "../catalog/schemes/scheme.ts";
import { didYouMean } from "../catalog/suggest.ts";
import { sortVersions } from "../catalog/versions.ts";
import type { Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { valueText } from "../model/value.ts";
import type { Plan, Value } from "../schemas/types.ts";
import { axesOf, type Axis, type Column, type PlanSources } from "./axes.ts";
import { namedColumns } from "./named-zip.ts";

function compareValues(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareText(valueText(a), valueText(b)) || compareText(typeof a, typeof b);
}

/** Findings about zip groups that share an axis: as a chain, or as a cycle. */
function overlapFinding(entry: Entry<Plan>, zip: readonly string[][]): Finding | undefined {
  const groupOf = new Map<string, number>();
  const parent = zip.map((_, at) => at);
  const root = (at: number): number => (parent[at] === at ? at : root(parent[at] ?? at));
  let shared: string | undefined;
  let circle: string | undefined;
  for (const [at, names] of zip.entries()) {
    for (const name of names) {
      const before = groupOf.get(name);
      if (before === undefined) groupOf.set(name, at);
      else if (root(before) === root(at)) circle ??= name;
      else {
        shared ??= name;
        parent[root(at)] = root(before);
      }
    }
  }
  const name = circle ?? shared;
  if (name === undefined) return undefined;
  const groups = zip.filter((names) => names.includes(name)).map((names) => `[${names.join(", ")}]`);
  return {
    code: "ZIP_CYCLE",
    what: circle
      ? `the groups of \`zip\` form a cycle at \`${name}\`: ${zip.map((names) => names.join(" – ")).join(", ")}`
      : `\`${name}\` is in two groups of \`zip\`: ${groups.join(" and ")}`,
    where: entry.place(["zip"]),
    fix: "put each axis in one group only: axes that all move together are one group",
  };
}

/** The columns of a plan: zipped axes share one. Sorted by the name of their first axis; positions by their values. */
function columnsOf(
  entry: Entry<Plan>,
  { axes, schemeOf }: { axes: readonly Axis[]; schemeOf: (fragment: string) => Scheme },
  findings: Finding[],
): Column[] {
  const groups = (entry.document.zip ?? []).map((one) => (Array.isArray(one) ? one : []));
  const byName = new Map(axes.map((axis) => [axis.name, axis]));
  const overlap = overlapFinding(entry, groups);
  if (overlap) {
    findings.push(overlap);
    return [];
  }
  const columns: Column[] = [];
  const zipped = new Set<string>();
  for (const [at, names] of groups.entries()) {
    if (names.length === 0) continue;
    const members = names.flatMap((name) => {
      const axis = byName.get(name);
      if (axis) return [axis];
      const known = axes.map((one) => one.name);
      const guess = didYouMean(name, known);
      findings.push({
        code: "UNKNOWN_AXIS",
        what: `\`${name}\` is not an axis of this plan`,
        where: entry.place(["zip", at, names.indexOf(name)]),
        fix: guess ? `did you mean \`${guess}\`?` : `its axes are: ${known.join(", ")}`,
      });
      return [];
    });
    for (const name of names) zipped.add(name);
    if (members.length < names.length) continue;
    const sizes = members.map(({ values }) => values.length);
    if (new Set(sizes).size > 1) {
      findings.push({
        code: "ZIP_LENGTH",
        what: `zipped axes have different lengths: ${members.map(({ name, values }) => `${name} has ${values.length}`).join(", ")}`,
        where: entry.place(["zip", at]),
        fix: "give all of them the same number of values, in the order in which they belong together",
      });
      continue;
    }
    const sorted = [...members].sort((a, b) => compareText(a.name, b.name));
    const positions = [...(sorted[0]?.values.keys() ?? [])].sort((a, b) => {
      for (const { name, values, kind } of sorted) {
        const [left, right] = [values[a] ?? "", values[b] ?? ""];
        const order =
          kind === "fragment"
            ? schemeOf(name).compare(valueText(left), valueText(right))
            : compareValues(left, right);
        if (order !== 0) return order;
      }
      return 0;
    });
    columns.push({
      axes: sorted.map((axis) => ({
        ...axis,
        values: positions.map((position) => axis.values[position] ?? ""),
      })),
      size: positions.length,
    });
  }
  for (const axis of axes) {
    if (zipped.has(axis.name)) continue;
    const values =
      axis.kind === "fragment"
        ? sortVersions(axis.values as string[], schemeOf(axis.name))
        : [...(axis.values as Value[])].sort(compareValues);
    columns.push({ axes: [{ ...axis, values }], size: values.length });
  }
  return columns.sort((a, b) => compareText(a.axes[0]?.name ?? "", b.axes[0]?.name ?? ""));
}

/** What varies in a plan: one column per axis, named axis, or group of zipped axes. What is wrong with them goes to `findings`. */
export function readColumns(sources: PlanSources, findings: Finding[]): Column[] {
  const { catalog, entry } = sources;
  const axes = axesOf(sources, findings);
  const named = namedColumns(sources, axes, findings);
  const columns = columnsOf(entry, { axes, schemeOf: catalog.fragmentScheme }, findings);
  return [...columns, ...named].sort((a, b) => compareText(a.axes[0]?.name ?? "", b.axes[0]?.name ?? ""));
}
