import type { Catalog, Entry } from "../../catalog/catalog.ts";
import { compareFindings, findingsOf, type Loaded } from "../../catalog/document.ts";
import { checkManifestReferences, checkPlanReferences } from "../../catalog/references.ts";
import { errorOf, type Finding } from "../../errors.ts";
import { compareText } from "../../model/compare.ts";
import { ancestorsOf } from "../../stitch/parent-chain.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Plan } from "../../schemas/types.ts";
import type { PlanRequest } from "../space.ts";

/** What a function gives; its findings about the input go to `findings`. */
export function collect<T>(findings: Finding[], give: () => T): T[] {
  try {
    return [give()];
  } catch (error) {
    findings.push(...findingsOf(error));
    return [];
  }
}

/** Findings by place, each once: a manifest and its plans may give the same one. */
export function distinct(findings: readonly Finding[]): Finding[] {
  const byText = new Map(findings.map((one) => [JSON.stringify([one.code, one.where, one.what]), one]));
  return [...byText.values()].sort(compareFindings);
}

/** The documents that a lock is about. */
interface Sources {
  manifests: Entry<Manifest>[];
  plans: Entry<Plan>[];
}

/**
 * The named manifests and their plans; all of them if none is named.
 * @throws FactoryError with everything that is wrong with them
 */
export function sourcesOf(catalog: Catalog, manifestIds?: readonly string[]): Sources {
  const findings: Finding[] = [];
  const manifests = (manifestIds ?? catalog.imageIds()).flatMap((id) =>
    collect(findings, () => catalog.manifest(id)),
  );
  // It is not known whose plan it is if it cannot be read: it only matters to those who ask for all.
  const ofPlans = manifestIds === undefined ? findings : [];
  const plans = catalog
    .planIds()
    .flatMap((id) => collect(ofPlans, () => catalog.plan(id)))
    .filter(({ document }) => manifestIds?.includes(document.manifest_id) ?? true);
  const byId = new Map(manifests.map((entry) => [entry.document.manifest_id, loadedOf(entry)]));
  for (const loaded of byId.values()) findings.push(...checkManifestReferences(catalog, loaded));
  for (const entry of plans)
    findings.push(...checkPlanReferences(catalog, loadedOf(entry), byId.get(entry.document.manifest_id)));
  if (findings.length > 0) throw errorOf(distinct(findings));
  return { manifests, plans };
}

/** Requests for all that a lock is about: each manifest by itself, and each plan. @throws FactoryError as sourcesOf */
export function requestsFor(catalog: Catalog, manifestIds?: readonly string[]): PlanRequest[] {
  const { manifests, plans } = sourcesOf(catalog, manifestIds);
  return [
    ...manifests.map(({ document }) => ({ manifestId: document.manifest_id })),
    ...plans.map(({ document }) => ({ planId: document.plan_id })),
  ];
}

/** A document without findings, in the form that the rules about references take. */
function loadedOf<T extends Manifest | Plan>(entry: Entry<T>): Loaded<T> {
  const { document, file, place } = entry;
  return { file, findings: [], entry, sound: document as Loaded<T>["sound"], place, keyPlace: place };
}

/**
 * Gives manifests with all that start from them, however far below, sorted.
 * @param all the manifests that are looked at
 * @throws FactoryError PARENT_CYCLE
 */
export function touchedIn(
  catalog: Catalog,
  all: readonly string[],
): (manifestIds: readonly string[]) => string[] {
  const lines = all.map((id) => [id, ...ancestorsOf(catalog, id)]).filter(({ length }) => length > 1);
  return (manifestIds) => {
    const own = new Set(manifestIds);
    const below = lines.flatMap(([id = "", ...line]) => (line.some((one) => own.has(one)) ? id : []));
    return [...new Set([...manifestIds, ...below])].sort(compareText);
  };
}
