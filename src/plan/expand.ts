import compare from "semver/functions/compare.js";
import satisfies from "semver/functions/satisfies.js";
import type { Catalog, Entry } from "../catalog/catalog.ts";
import { errorOf, FactoryError, type Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { CellInclude, CellSelector, Plan } from "../schemas/types.ts";
import { platformFindings } from "../stitch/contracts.ts";
import { type Choice, resolve, type Resolved } from "../stitch/resolve.ts";
import { stitchResolved } from "../stitch/stitch.ts";
import {
  type Cell,
  cellId,
  type LeftOut,
  type Planned,
  type PlannedCell,
  tagOf,
  targetName,
} from "./cell.ts";
import { cacheFrom, cacheTo } from "./prefix.ts";

/** One combination of a plan before it has a platform. */
interface Combination {
  set: Record<string, string>;
  /** Names that the plan chose: these make the id. */
  chosen: string[];
  platforms: readonly string[];
  /** Whether `exclude` applies: what is included by name stays. */
  excludable: boolean;
}

const MAX_CELLS = 1_000_000;

/** Contracts that rule a combination out without making the plan wrong. */
const RULED_OUT = new Set(["REQUIRES_VERSION", "CONFLICT"]);

function product(axes: [string, string[]][]): Record<string, string>[] {
  return axes.reduce<Record<string, string>[]>(
    (rows, [name, versions]) =>
      rows.flatMap((row) => versions.map((version) => ({ ...row, [name]: version }))),
    [{}],
  );
}

function combinations(plan: Plan, platforms: readonly string[]): Combination[] {
  const fixed = { ...plan.fixed };
  const axes = Object.entries(plan.axes ?? {})
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, versions]): [string, string[]] => [name, [...versions].sort(compare)]);
  const rows: Combination[] = product(axes).map((row) => ({
    set: { ...fixed, ...row },
    chosen: [...Object.keys(fixed), ...Object.keys(row)],
    platforms,
    excludable: true,
  }));
  for (const include of plan.include ?? []) {
    const { platform, ...row } = include as CellInclude & { platform?: string };
    rows.push({
      set: { ...fixed, ...(row as Record<string, string>) },
      chosen: [...Object.keys(fixed), ...Object.keys(row)],
      platforms: platform === undefined ? platforms : [platform],
      excludable: false,
    });
  }
  return rows;
}

function selects(
  selector: CellSelector,
  versions: Readonly<Record<string, string>>,
  platform: string,
): boolean {
  return Object.entries(selector).every(([name, range]) => {
    if (name === "platform") return range === platform;
    const version = versions[name];
    return version !== undefined && satisfies(version, range as string, { includePrerelease: true });
  });
}

/** A resolved combination, or why the fragments rule it out. Every other error is thrown. */
function tryResolve(catalog: Catalog, manifestId: string, choice: Choice): Resolved | string {
  try {
    return resolve(catalog, manifestId, choice);
  } catch (error) {
    if (!(error instanceof FactoryError) || !error.findings?.every(({ code }) => RULED_OUT.has(code)))
      throw error;
    return error.findings.map(({ what }) => what).join("; ");
  }
}

/** One cell of a resolved combination. */
function planCell(
  catalog: Catalog,
  resolved: Resolved,
  about: { chosen: [string, string][]; platform: string; expect: Cell["expect"] },
  baseDigest: string | null,
): PlannedCell {
  const { chosen, platform, expect } = about;
  const { repository, cache_repository } = catalog.settings();
  const { manifest_id } = resolved.manifest.document;
  const stitched = stitchResolved(catalog, resolved, { baseDigest, platform });
  const cell_id = cellId(manifest_id, chosen, platform);
  const cell: Cell = {
    cell_id,
    manifest_id,
    platform,
    fragments: Object.fromEntries(stitched.fragments.map(({ name, version }) => [name, version])),
    base: stitched.base,
    args: stitched.args,
    build_key: stitched.build_key,
    verdict_key: stitched.verdict_key,
    target: targetName(cell_id),
    tags: [`${repository}/${manifest_id}:${tagOf(cell_id.slice(manifest_id.length + 1))}`],
    cache_from: cacheFrom(cache_repository, stitched.prefixes, platform),
    cache_to: cacheTo(cache_repository, stitched.prefixes, platform),
    action: "build",
    reason: "UNCHECKED",
    expect,
  };
  return { cell, stitched, pin: (digest) => planCell(catalog, resolved, about, digest) };
}

/** Sorts by versions in Dockerfile order, then platform: cells that share a prefix stand together. */
function compareCells(a: PlannedCell, b: PlannedCell): number {
  const left = Object.entries(a.cell.fragments);
  const right = Object.entries(b.cell.fragments);
  for (const [at, [name, version]] of left.entries()) {
    const [otherName, otherVersion] = right[at] ?? ["", "0.0.0"];
    const order =
      compareText(name, otherName) || compare(version, otherVersion) || compareText(version, otherVersion);
    if (order !== 0) return order;
  }
  return compareText(a.cell.platform, b.cell.platform) || compareText(a.cell.cell_id, b.cell.cell_id);
}

/** Two cells with one id, or two targets with one name, cannot be told apart later: each pair is a finding. */
function duplicateFindings(cells: readonly PlannedCell[], entry: Entry<Plan> | null): Finding[] {
  const findings: Finding[] = [];
  for (const key of ["cell_id", "target"] as const) {
    const seen = new Set<string>();
    for (const { cell } of cells) {
      if (seen.has(cell[key])) {
        findings.push({
          code: "CELL_DUPLICATE",
          what: `two cells have the ${key === "target" ? "bake target" : "id"} \`${cell[key]}\``,
          where: entry?.place(["include"]),
          fix: "remove one of the two from `axes` or `include`; versions that differ only in characters that ids leave out cannot stand in one plan",
        });
      }
      seen.add(cell[key]);
    }
    if (findings.length > 0) return findings;
  }
  return findings;
}

/**
 * Expands a plan, or one manifest, to its cells. Pure: reads the catalog alone.
 * @throws FactoryError PLAN_EMPTY, CELL_DUPLICATE, RULE_UNUSED, and what resolving and rendering throw
 */
export function expand(
  catalog: Catalog,
  request: { planId: string } | ({ manifestId: string } & Choice),
): Planned {
  const entry = "planId" in request ? catalog.plan(request.planId) : null;
  const manifestId = entry ? entry.document.manifest_id : (request as { manifestId: string }).manifestId;
  const manifest = catalog.manifest(manifestId).document;
  const platforms = [...(entry?.document.platforms ?? manifest.platforms ?? ["linux/amd64"])].sort(
    compareText,
  );
  const { set = {}, args } = "planId" in request ? {} : request;
  const size = Object.values(entry?.document.axes ?? {}).reduce(
    (total, versions) => total * versions.length,
    platforms.length,
  );
  if (size > MAX_CELLS) {
    throw new FactoryError(
      "PLAN_TOO_LARGE",
      `the axes of the plan multiply to ${size} cells, and ${MAX_CELLS} is the limit`,
      {
        where: entry?.place(["axes"]),
        fix: "shorten the axes, or split the plan",
      },
    );
  }
  // Made after the check: the rows of the product are all in memory.
  const rows = entry
    ? combinations(entry.document, platforms)
    : [{ set: { ...set }, chosen: Object.keys(set), platforms, excludable: false }];

  const cells: PlannedCell[] = [];
  const left_out: LeftOut[] = [];
  const usedExcludes = new Set<number>();
  const usedExpectations = new Set<number>();
  for (const row of rows) {
    const resolved = tryResolve(catalog, manifestId, { set: row.set, args, platforms: [] });
    if (typeof resolved === "string") {
      left_out.push({ fragments: row.set, platform: null, what: resolved });
      continue;
    }
    const versions = Object.fromEntries(
      resolved.fragments.map(({ document }) => [document.name, document.version]),
    );
    const chosen = Object.entries(versions).filter(([name]) => row.chosen.includes(name));
    for (const platform of row.platforms) {
      const excludes = row.excludable ? (entry?.document.exclude ?? []) : [];
      const excluding = [...excludes.keys()].filter((at) => selects(excludes[at] ?? {}, versions, platform));
      for (const at of excluding) usedExcludes.add(at);
      if (excluding.length > 0) continue;
      const [unsupported] = platformFindings(resolved, [platform]);
      if (unsupported) {
        left_out.push({ fragments: row.set, platform, what: unsupported.what });
        continue;
      }
      const expectations = (entry?.document.expect ?? []).filter((one, at) => {
        const holds = selects(one.when, versions, platform);
        if (holds) usedExpectations.add(at);
        return holds;
      });
      const expect = expectations[0]
        ? { result: "fail" as const, reason: expectations.map(({ reason }) => reason).join("; ") }
        : null;
      cells.push(planCell(catalog, resolved, { chosen, platform, expect }, null));
    }
  }

  const findings = duplicateFindings(cells, entry);
  if (entry) {
    for (const [rule, used] of [
      ["exclude", usedExcludes],
      ["expect", usedExpectations],
    ] as const) {
      for (const at of (entry.document[rule] ?? []).keys()) {
        if (used.has(at)) continue;
        findings.push({
          code: "RULE_UNUSED",
          what: `rule ${at + 1} of \`${rule}\` matches no cell of the plan`,
          where: entry.place([rule, at]),
          fix: "correct its versions, or remove it",
        });
      }
    }
  }
  if (cells.length === 0) {
    const why = left_out[0] ? `: ${left_out[0].what}` : "";
    findings.unshift({
      code: "PLAN_EMPTY",
      what: `${entry ? `the plan ${entry.document.plan_id}` : manifestId} comes to no cell${why}`,
      where: entry?.place(["exclude"]),
      fix: "widen `axes`, or remove a rule of `exclude`",
    });
  }
  if (findings.length > 0) throw errorOf(findings);
  cells.sort(compareCells);
  return { plan_id: entry?.document.plan_id ?? null, manifest_id: manifestId, cells, left_out };
}
