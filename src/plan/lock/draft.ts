import type { Catalog } from "../../catalog/catalog.ts";
import { findingsOf } from "../../catalog/document.ts";
import { errorOf, FactoryError, type Finding } from "../../errors.ts";
import type { Pins } from "../axes.ts";
import {
  compareSubjects,
  type LockEntries,
  type LockEntry,
  type LockValue,
  rangeKey,
  axisKey,
  subjectKey,
} from "./lock.ts";
import { baseNeeds } from "./base-needs.ts";
import { imageNeeds } from "./image-needs.ts";
import { libraryNeeds } from "./library-needs.ts";
import { type LockNeed, type Needs, versionNeeds } from "./needs.ts";
import { touchedIn } from "./sources.ts";

/** A lock that is complete except for the digests of some bases. */
export interface LockDraft {
  /** The known entries: every version, and the bases that are kept. */
  entries: LockEntries;
  /** Bases that the builder has to resolve. */
  open: LockNeed[];
  /** Everything that the lock has to contain. */
  needs: Needs;
}

/** How the builder resolves a base. */
export interface BaseAnswer {
  /** null if there is none, or on an error. */
  digest: string | null;
  /** Whether the digest can be fetched by name. */
  pinnable: boolean;
  error?: { message: string };
}

/** One entry that differs. A value is null if there was, or is, none. */
export interface LockChange {
  kind: LockEntry["kind"];
  name: string;
  /** The range or the axis; a base's platform; a library's origin. */
  at: string;
  before: LockValue | null;
  after: LockValue | null;
  /** The manifests that it touches. */
  manifests: string[];
}

/** Pins of the entries; for anything else they give nothing. */
export function pinsOfEntries(entries: LockEntries): Pins {
  const valueOf = (kind: LockEntry["kind"], name: string, at: string) =>
    entries.get(subjectKey({ kind, name, at }))?.value;
  return {
    version: (what, name, range) => valueOf(what, name, rangeKey(range)) as string | undefined,
    axis: (name, axis) => valueOf("axis", name, axisKey(axis)) as readonly string[] | undefined,
  };
}

function draft(catalog: Catalog, kept: LockEntries, manifestIds: readonly string[] | undefined): LockDraft {
  const versions = new Map([...versionNeeds(catalog, manifestIds), ...libraryNeeds(catalog, manifestIds)]);
  const entries = new Map<string, LockEntry>();
  for (const [key, { kind, name, at, holds, newest }] of versions) {
    const known = kept.get(key)?.value;
    entries.set(key, { kind, name, at, value: known !== undefined && holds(known) ? known : newest() });
  }
  const pins = pinsOfEntries(entries);
  const bases = new Map([
    ...imageNeeds(catalog, pins, manifestIds),
    ...baseNeeds(catalog, pins, manifestIds),
  ]);
  const open: LockNeed[] = [];
  for (const [key, need] of bases) {
    const known = kept.get(key);
    if (known) entries.set(key, known);
    else open.push(need);
  }
  const needs = new Map<string, LockNeed>([...versions, ...bases]);
  const touched = touchedIn(catalog, manifestIds ?? catalog.manifestIds());
  for (const need of needs.values()) need.manifests = touched(need.manifests);
  return { entries, open, needs };
}

/** A lock with the newest version of everything, in which every base is open. @throws FactoryError as keepLock does */
export function updateLock(catalog: Catalog, manifestIds?: readonly string[]): LockDraft {
  return draft(catalog, new Map(), manifestIds);
}

/**
 * A lock that keeps the entries that are still valid: the workspace needs them, and the versions exist and are allowed.
 * What is missing is added with the newest version, and what nothing needs is left out.
 * @param manifestIds only what these manifests and their plans need. Default: all
 * @throws FactoryError with all findings of manifests and plans
 */
export function keepLock(catalog: Catalog, before: LockEntries, manifestIds?: readonly string[]): LockDraft {
  try {
    return draft(catalog, before, manifestIds);
  } catch (error) {
    if (!(error instanceof FactoryError) || !passes(() => updateLock(catalog, manifestIds))) throw error;
    const newer = "take the newest versions with `factory lock --update`";
    throw errorOf(
      findingsOf(error).map((one) => ({ ...one, fix: one.fix ? `${one.fix}; or ${newer}` : newer })),
    );
  }
}

function passes(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof FactoryError) return false;
    throw error;
  }
}

function baseFinding({ name, at, where }: LockNeed, answer: BaseAnswer | undefined): Finding {
  const message = answer?.error?.message;
  if (message !== undefined && /no match for platform/i.test(message)) {
    return {
      code: "BASE_PLATFORM",
      what: `the image ${name} does not exist for ${at}`,
      where,
      fix: `choose another base, or remove ${at} from the platforms`,
    };
  }
  const cause = message ?? "it is only in this engine's image store, where no digest names it";
  return {
    code: "BASE_UNRESOLVED",
    what: `the image ${name} cannot be resolved for ${at}: ${cause}`,
    where,
    fix: "correct the name, or see that its registry answers and lets you in; then run it again",
  };
}

/**
 * Adds the digests of the open bases.
 * @throws FactoryError that names every base without one: BASE_PLATFORM if all of them lack their platform, else BASE_UNRESOLVED
 */
export function completeLock(
  { entries, open }: LockDraft,
  answerOf: (base: { ref: string; platform: string }) => BaseAnswer | undefined,
): LockEntries {
  const complete = new Map(entries);
  const findings: Finding[] = [];
  for (const need of open) {
    const { kind, name, at } = need;
    const answer = answerOf({ ref: name, platform: at });
    if (answer?.digest && answer.pinnable)
      complete.set(subjectKey(need), { kind, name, at, value: answer.digest });
    else findings.push(baseFinding(need, answer));
  }
  if (findings.length === 0) return complete;
  if (findings.length === 1 || findings.every(({ code }) => code === "BASE_PLATFORM"))
    throw errorOf(findings);
  // One error for all of them. It is about the environment as soon as one of them is.
  throw new FactoryError("BASE_UNRESOLVED", `${findings.length} images cannot be resolved`, {
    findings,
  });
}

/** What differs between two locks, in the order of the file. */
export function lockChanges(before: LockEntries, after: LockEntries, needs: Needs): LockChange[] {
  const all = new Map([...before, ...after]);
  return [...all.values()].sort(compareSubjects).flatMap((entry): LockChange[] => {
    const key = subjectKey(entry);
    const [old, now] = [before.get(key)?.value ?? null, after.get(key)?.value ?? null];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    const { kind, name, at } = entry;
    return [{ kind, name, at, before: old, after: now, manifests: needs.get(key)?.manifests ?? [] }];
  });
}
