import type { Catalog } from "../../catalog/catalog.ts";
import { errorOf, type Finding, type Place } from "../../errors.ts";
import type { Column, Pins } from "../axes.ts";
import { type LockNeed, type Needs, needsOf } from "./needs.ts";
import { collect, distinct, sourcesOf } from "./sources.ts";
import { axisFinder } from "../rules.ts";
import { type PlanRequest, readSpace, type Space } from "../space.ts";

/** A base whose digest nobody has to look up: it has none, or names it itself. */
export function needsNoDigest(ref: string): boolean {
  return ref === "scratch" || ref.includes("@");
}

type Pair = { ref: string; platform: string; where: Place };

/** What an axis may be at each position of its column; `fallback` alone where there is no such axis. */
function positionsOf(columns: readonly Column[], name: string, fallback: string) {
  const found = axisFinder(columns).get(name);
  if (!found) return [{ column: -1, at: -1, value: fallback }];
  return found.axis.values.map((value, at) => ({ column: found.column, at, value: String(value) }));
}

/** Bases with their platforms that a cell of the plan, or of the manifest by itself, may have. */
function pairsOf({ entry, manifest, columns, rules }: Space): Pair[] {
  const platforms = positionsOf(columns, "platform", "");
  const own = manifest.document.base;
  const placeOf = (ref: string): Place => {
    const at = entry?.document.axes?.base?.indexOf(ref) ?? -1;
    return at < 0 || !entry ? manifest.place(["base"]) : entry.place(["axes", "base", at]);
  };
  const bases = positionsOf(columns, "base", own);
  const of = new Set([...bases, ...platforms].map(({ column }) => column));
  const about = rules.filter((rule) => rule.columns.every((column) => of.has(column)));
  const pairs: Pair[] = [];
  for (const base of bases) {
    for (const platform of platforms) {
      // Zipped axes are one column, and a cell has one position in it.
      if (base.column === platform.column && base.at !== platform.at) continue;
      const taken = new Map([
        [base.column, base.at],
        [platform.column, platform.at],
      ]);
      const forbidden = about.some((rule) =>
        rule.columns.every((column, at) => rule.values[at]?.[taken.get(column) ?? -1] === 1),
      );
      if (!forbidden) pairs.push({ ref: base.value, platform: platform.value, where: placeOf(base.value) });
    }
  }
  for (const [at, include] of (entry?.document.include ?? []).entries()) {
    const ref = include.base ?? own;
    const where = entry && include.base !== undefined ? entry.place(["include", at, "base"]) : placeOf(ref);
    const values = include.platform === undefined ? platforms.map(({ value }) => value) : [include.platform];
    pairs.push(...values.map((platform) => ({ ref, platform, where })));
  }
  return pairs;
}

/**
 * Every base image that a cell may start from, on each platform. What rules and contracts forbid is not asked for: a base
 * may not be there for it.
 * @param pins versions decide on which platforms fragments work
 * @throws FactoryError with all findings about the plans' axes and rules
 */
export function baseNeeds(catalog: Catalog, pins: Pins, manifestIds?: readonly string[]): Needs {
  const { manifests, plans } = sourcesOf(catalog, manifestIds);
  const requests: PlanRequest[] = [
    ...manifests.map(({ document }) => ({ manifestId: document.manifest_id })),
    ...plans.map(({ document }) => ({ planId: document.plan_id })),
  ];
  const { needs, add } = needsOf<LockNeed>();
  const findings: Finding[] = [];
  for (const request of requests) {
    // Expectations that have ended are no matter of the lock: no day is before the empty text.
    for (const space of collect(findings, () => readSpace(catalog, request, { today: "", pins }))) {
      for (const { ref, platform, where } of pairsOf(space)) {
        if (needsNoDigest(ref)) continue;
        add(space.manifest.document.manifest_id, { kind: "base", name: ref, at: platform, where });
      }
    }
  }
  if (findings.length > 0) throw errorOf(distinct(findings));
  return needs;
}
