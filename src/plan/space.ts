import type { Catalog, Entry } from "../catalog/catalog.ts";
import { versionsIn } from "../catalog/versions.ts";
import { errorOf, type Finding } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { baseRef } from "../model/parent.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Plan, Value } from "../schemas/types.ts";
import type { Choice } from "../stitch/resolve.ts";
import type { DigestOf } from "../stitch/stitch.ts";
import type { Inputs } from "./decide/attempts.ts";
import type { Axis, Column, Pins } from "./axes.ts";
import { readColumns } from "./columns.ts";
import { versionOf } from "./named-zip.ts";
import { argValueFindings } from "./arg-values.ts";
import { type Constants, ownRules, type Rule } from "./conditions.ts";
import { contractRules } from "./contract-rules.ts";
import { axisFinder, conditionsOf, holds, type SchemeOf, schemesOf } from "./selectors.ts";

/** What to expand: a plan, or a manifest by itself. */
export type PlanRequest = { planId: string } | ({ manifestId: string } & Pick<Choice, "set" | "args">);

/** What a plan depends on beside the workspace's documents. */
export interface Given {
  /** The day (UTC), `YYYY-MM-DD`: expectations may have ended. */
  today: string;
  /** Versions that a lock pins. */
  pins?: Pins;
  /** The digest of an image on a platform; null if it is not known. */
  digestOf?: DigestOf;
  /** Values that the environment passes to every build, such as SOURCE_DATE_EPOCH. */
  environment?: Readonly<Record<string, string>>;
  /** Inputs of fresh attempts that passed: a strategy that chooses counts them as covered. */
  proven?: (manifestId: string) => readonly Inputs[];
}

/** What one plan is about: what varies, what may not occur together, what stays the same. */
export interface Space {
  entry: Entry<Plan> | null;
  manifest: Entry<Manifest>;
  columns: Column[];
  rules: Rule[];
  /** Versions or ranges that replace the manifest's in every cell. */
  fixed: Readonly<Record<string, string>>;
  /** Fragments whose range is solved anew for each cell: what they forbid is not among the rules. */
  open: ReadonlySet<string>;
}

/** A plan's constants: the fragments that do not vary, at the version that they resolve to, and the base. */
function constantsOf(
  catalog: Catalog,
  manifest: Manifest,
  fixed: Readonly<Record<string, string>>,
  columns: readonly Column[],
  pins: Pins | undefined,
): Constants {
  const varying = axisFinder(columns);
  const constants = new Map<string, Value>();
  for (const [name, own] of Object.entries(manifest.fragments)) {
    if (varying.has(name)) continue;
    const range = Object.hasOwn(fixed, name) ? (fixed[name] ?? own) : own;
    const version = versionOf(catalog, name, range, pins);
    if (version !== undefined) constants.set(name, version);
  }
  if (!varying.has("base")) constants.set("base", baseRef(manifest.base));
  return constants;
}

/** The constants that are fragments with several versions to choose from. */
function freeAmong(
  catalog: Catalog,
  { fragments }: Manifest,
  fixed: Readonly<Record<string, string>>,
  constants: Constants,
): Set<string> {
  const free = Object.entries(fragments).filter(([name, own]) => {
    if (!constants.has(name)) return false;
    const range = Object.hasOwn(fixed, name) ? (fixed[name] ?? own) : own;
    return versionsIn(range, catalog.fragmentVersions(name), catalog.fragmentScheme(name)).length > 1;
  });
  return new Set(free.map(([name]) => name));
}

/** Findings about expectations that have ended, or that match no cell of the plan. */
function expectFindings(
  { entry, columns, open }: Space,
  { constants, today, schemeOf }: { constants: Constants; today: string; schemeOf: SchemeOf },
): Finding[] {
  if (!entry) return [];
  const finder = axisFinder(columns);
  return (entry.document.expect ?? []).flatMap(({ when, cell_id, until, owner, reason }, at): Finding[] => {
    const where = entry.place(["expect", at]);
    const findings: Finding[] = [];
    if (until !== "never" && until < today) {
      findings.push({
        code: "EXPECT_EXPIRED",
        what: `rule ${at + 1} of \`expect\` ended on ${until}: ${reason}`,
        where: entry.place(["expect", at, "until"]),
        fix: `${owner} has to fix the cause and remove the rule, or agree on a later day`,
      });
    }
    if (cell_id !== undefined || !when) return findings;
    const included = (entry.document.include ?? []).map((row) => new Map(conditionsOf(row)));
    const fits = conditionsOf(when).every(([name, condition]) => {
      if (open.has(name)) return true;
      const values =
        finder.get(name)?.axis.values ?? (constants.has(name) ? [constants.get(name) ?? ""] : []);
      const more = included.map((row) => row.get(name)).filter((value) => value !== undefined);
      return [...values, ...more].some(
        (value) => value !== undefined && holds(name, value, condition, schemeOf),
      );
    });
    if (!fits) {
      findings.push({
        code: "RULE_UNUSED",
        what: `rule ${at + 1} of \`expect\` matches no cell of the plan`,
        where,
        fix: "correct its versions, or remove it",
      });
    }
    return findings;
  });
}

/**
 * Reads what a plan varies and what its rules and the fragments' contracts forbid, without enumerating anything.
 * @throws FactoryError with all findings about axes, rules and expectations
 */
export function readSpace(catalog: Catalog, request: PlanRequest, { today, pins }: Given): Space {
  const entry = "planId" in request ? catalog.plan(request.planId) : null;
  const manifest = catalog.manifest(
    entry ? entry.document.manifest_id : (request as { manifestId: string }).manifestId,
  );
  const findings: Finding[] = [];
  const columns = entry
    ? readColumns({ catalog, entry, manifest: manifest.document, pins }, findings)
    : [platformColumn(manifest.document)];
  const fixed = entry ? (entry.document.fixed ?? {}) : (("set" in request ? request.set : undefined) ?? {});
  const constants = constantsOf(catalog, manifest.document, fixed, columns, pins);
  const sources = { catalog, entry, manifest, columns, constants };
  const areSound = findings.length === 0;
  const free = freeAmong(catalog, manifest.document, fixed, constants);
  const contracts = areSound ? contractRules(sources, free) : { rules: [], open: new Set<string>() };
  const { open } = contracts;
  const own = entry && areSound ? ownRules({ ...sources, entry, open }, findings) : [];
  const space = { entry, manifest, columns, rules: [...own, ...contracts.rules], fixed, open };
  if (entry && areSound) findings.push(...argValueFindings({ catalog, entry, manifest, columns, constants }));
  if (findings.length === 0)
    findings.push(
      ...expectFindings(space, { constants, today, schemeOf: schemesOf(catalog.fragmentScheme, columns) }),
    );
  if (findings.length > 0) throw errorOf(findings);
  return space;
}

function platformColumn({ platforms = ["linux/amd64"] }: Manifest): Column {
  const axis: Axis = {
    name: "platform",
    kind: "platform",
    values: [...platforms].sort(compareText),
    path: undefined,
  };
  return { axes: [axis], size: platforms.length };
}
