import { stringify } from "yaml";
import { SCHEMES } from "../../catalog/schemes/schemes.ts";
import { isVersion } from "../../catalog/versions.ts";
import { compareText } from "../../model/compare.ts";
import { digestOf } from "../../model/digest.ts";
import type { Lock } from "../../schemas/types.ts";

/** What an entry of the lock is about. */
export interface LockSubject {
  kind: keyof typeof SECTIONS;
  /** A template, a fragment, a base image, or a library. */
  name: string;
  /** The range, the axis (as `rangeKey` and `axisKey` write them), the base's platform, or the library's origin. */
  at: string;
}

/** A version; versions of an axis; a base's or a library's digest. */
export type LockValue = string | readonly string[];

export interface LockEntry extends LockSubject {
  value: LockValue;
}

/** Entries by `subjectKey`. */
export type LockEntries = ReadonlyMap<string, LockEntry>;

/** The section of each kind of entry, in the order of the file. */
const SECTIONS = {
  template: "templates",
  fragment: "fragments",
  axis: "axes",
  base: "bases",
  library: "libraries",
} as const;
const KINDS = Object.keys(SECTIONS) as LockSubject["kind"][];

const SCHEME = "factory/lock/1";

const HEAD = `# Written by \`factory lock\`; do not edit: \`lock_digest\` is over everything in here.
# \`factory lock\` adds what is missing and keeps the rest, \`factory lock --update\` takes the newest.
`;

/** A unique name of an entry: only its last part may have a space. */
export function subjectKey({ kind, name, at }: LockSubject): string {
  return `${kind} ${name} ${at}`;
}

/** Sorts entries as in the file. */
export function compareSubjects(a: LockSubject, b: LockSubject): number {
  return (
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || compareText(a.name, b.name) || compareText(a.at, b.at)
  );
}

/**
 * A range in the form of the lock, without meaningless white space. Around an exact version white space has a meaning: the
 * bare version means only itself, a range also its builds.
 */
export function rangeKey(range: string): string {
  const tidy = range.trim().replace(/ +/g, " ");
  return isVersion(tidy, SCHEMES.semver) ? range : tidy;
}

/** The text of an axis (see axisText) in the form of the lock. */
export function axisKey(axis: string): string {
  const [head, range] = axis.split(" of ", 2);
  return range === undefined ? rangeKey(axis) : `${head} of ${rangeKey(range)}`;
}

/** The entries of a lock. */
export function entriesOf(lock: Lock): Map<string, LockEntry> {
  const entries = new Map<string, LockEntry>();
  for (const kind of KINDS) {
    for (const [name, byRange] of Object.entries(lock[SECTIONS[kind]] ?? {})) {
      for (const [at, value] of Object.entries(byRange as Record<string, LockValue>)) {
        const entry: LockEntry = { kind, name, at, value };
        entries.set(subjectKey(entry), entry);
      }
    }
  }
  return entries;
}

type Section = Record<string, Record<string, LockValue>>;
type Sections = Record<Exclude<(typeof SECTIONS)[LockSubject["kind"]], "libraries">, Section> & {
  /** Missing where there are none, as in locks that were written before there could be any. */
  libraries?: Section;
};

function sectionsOf(entries: Iterable<LockEntry>): Sections {
  const sections: Sections = { templates: {}, fragments: {}, axes: {}, bases: {} };
  for (const { kind, name, at, value } of entries) {
    const section = (sections[SECTIONS[kind]] ??= {});
    if (!Object.hasOwn(section, name)) section[name] = {};
    Object.assign(section[name] ?? {}, { [at]: value });
  }
  return sections;
}

/** The digest that a lock of these entries has: over canonical JSON, so that comments and order do not count. */
export function lockDigest(entries: LockEntries): string {
  return digestOf({ scheme: SCHEME, schema_version: 1, ...sectionsOf(entries.values()) });
}

/** Whether a lock has been changed since it was written. */
export function isEdited(lock: Lock): boolean {
  return lockDigest(entriesOf(lock)) !== lock.lock_digest;
}

/** The text of a lock: the same entries give the same bytes. */
export function lockText(entries: LockEntries): string {
  const sections = Object.entries(sectionsOf(entries.values())).map((section) =>
    stringify(Object.fromEntries([section]), { sortMapEntries: true, lineWidth: 0 }),
  );
  return `${HEAD}schema_version: 1\n${sections.join("")}lock_digest: ${lockDigest(entries)}\n`;
}
