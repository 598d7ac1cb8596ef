import type { Catalog } from "../../catalog/catalog.ts";
import { SCHEMES } from "../../catalog/schemes/schemes.ts";
import { versionsIn } from "../../catalog/versions.ts";
import { errorOf, FactoryError, type Finding, type Place } from "../../errors.ts";
import type { Pins } from "../axes.ts";
import { axisKey, entriesOf, isEdited, type LockEntry, type LockSubject, subjectKey } from "./lock.ts";
import { baseNeeds, needsNoDigest } from "./base-needs.ts";
import { pinsOfEntries } from "./draft.ts";
import { type VersionNeed, versionNeeds } from "./needs.ts";

/** What a lock says, for planning. */
export interface Locked {
  pins: Pins;
  /** The digest of a base on a platform; null for `scratch`, and for a reference that includes its digest. */
  digestOf: (ref: string, platform: string) => string | null;
}

const FIX = "run `factory lock`";

/** What an entry is about, for people. */
function named({ kind, name, at }: LockSubject): string {
  if (kind === "base") return `the image ${name} on ${at}`;
  return kind === "axis" ? `the axis \`${name}\` (${at})` : `\`${at}\` of the ${kind} ${name}`;
}

function missing(subject: LockSubject, where?: Place): Finding {
  const what = `factory.lock does not have ${named(subject)}`;
  return { code: "LOCK_STALE", what, where, fix: FIX };
}

function outlived(need: VersionNeed, { value }: LockEntry): Finding {
  const versions = typeof value === "string" ? value : value.join(", ");
  const what = `factory.lock takes ${versions} for ${named(need)}, which no longer exists or is not allowed`;
  return { code: "LOCK_STALE", what, where: need.where, fix: FIX };
}

/**
 * Everything that keeps the lock from being used: it is missing, was edited by hand, or something that is needed is not in
 * it or no longer valid. Other entries do no harm.
 * @param manifestIds only what these manifests and their plans need. Default: all
 * @throws FactoryError with the findings of factory.lock itself, or of the manifests and plans
 */
export function checkLock(catalog: Catalog, manifestIds?: readonly string[]): Finding[] {
  const lock = catalog.lock();
  if (!lock) {
    return [{ code: "LOCK_MISSING", what: "the workspace has no factory.lock", fix: FIX }];
  }
  const findings: Finding[] = [];
  if (isEdited(lock.document)) {
    findings.push({
      code: "LOCK_EDITED",
      what: "factory.lock was edited by hand or merged: its `lock_digest` is not that of its entries",
      where: lock.place(["lock_digest"]),
      fix: "run `factory lock`, which keeps what is still valid; look at what it changes",
    });
  }
  const entries = entriesOf(lock.document);
  for (const [key, need] of versionNeeds(catalog, manifestIds)) {
    const entry = entries.get(key);
    if (entry && need.holds(entry.value)) continue;
    findings.push(entry ? outlived(need, entry) : missing(need, need.where));
    entries.delete(key);
  }
  for (const [key, need] of baseNeeds(catalog, pinsOfEntries(entries), manifestIds))
    if (!entries.has(key)) findings.push(missing(need, need.where));
  return findings;
}

/**
 * The pins that `--locked` plans with. An exact version and a pinned base need no entry; anything else that the lock does
 * not have, such as a range of `--set`, is LOCK_STALE when it is asked for.
 * @param manifestIds the manifests that are planned. Default: all
 * @throws FactoryError LOCK_MISSING, LOCK_EDITED, LOCK_STALE with all that is stale, and as checkLock does
 */
export function pinsOf(catalog: Catalog, manifestIds?: readonly string[]): Locked {
  const findings = checkLock(catalog, manifestIds);
  const lock = catalog.lock();
  if (findings.length > 0 || !lock) throw errorOf(findings);
  const entries = entriesOf(lock.document);
  const said = pinsOfEntries(entries);
  const stale = (subject: LockSubject): FactoryError => {
    const { code, what } = missing(subject);
    return new FactoryError(code, what, {
      fix: `name an exact version, or ${FIX} if a document needs it`,
    });
  };
  return {
    pins: {
      version: (kind, name, range, versions) => {
        if (versions.includes(range)) return range;
        const version = said.version(kind, name, range, versions);
        if (version !== undefined) return version;
        // An invalid range, or one that no version satisfies, has a finding of its own.
        const scheme = kind === "fragment" ? catalog.fragmentScheme(name) : SCHEMES.semver;
        if (!scheme.isRange(range) || versionsIn(range, versions, scheme).length === 0) return undefined;
        throw stale({ kind, name, at: range });
      },
      axis: (name, axis) => {
        const versions = said.axis(name, axis);
        if (versions === undefined) throw stale({ kind: "axis", name, at: axisKey(axis) });
        return versions;
      },
    },
    digestOf: (ref, platform) => {
      if (needsNoDigest(ref)) return null;
      const subject = { kind: "base", name: ref, at: platform } as const;
      const digest = entries.get(subjectKey(subject))?.value;
      if (typeof digest === "string") return digest;
      throw stale(subject);
    },
  };
}
