import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { isId } from "../catalog/names.ts";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import type { FactoryRecord } from "../schemas/types.ts";
import { proofProblem } from "./evidence.ts";
import { attemptAt, buildKeyAt, cellIdAt, sha256At, verdictKeyAt } from "./index-line.ts";
import { recordAt, recordIdsIn, unreadableRecord } from "./locate.ts";
import { loadRecordCheck, parseRecord, readRecordFile } from "./read-record.ts";
import { attemptOf, type Entry, openShelf, type ShelfWatch } from "./shelf.ts";

export interface OpenAttemptsOptions extends Partial<ShelfWatch> {
  /** Only records of these manifests; without it, of all. */
  manifestIds?: readonly string[];
}

const SCHEME = "sha256:";

/** What `work` gives; undefined where there is no such file or folder. @throws FactoryError FILE_UNREADABLE for all else */
function ifThere<T>(path: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === undefined) throw error;
    throw new FactoryError("FILE_UNREADABLE", `${path} cannot be read (${code})`, {
      where: { file: path },
      fix: "make it readable",
      cause: error,
    });
  }
}

/** Real paths of the workspace and of its records. @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE */
function placeOf(workspace: string): { root: string; base: string } | undefined {
  const root = realpathSync.native(workspace);
  const base = ifThere("records", () => realpathSync.native(join(root, "records")));
  if (base === undefined) return undefined;
  if (base.startsWith(root.endsWith(sep) ? root : root + sep)) return { root, base };
  throw new FactoryError("FILE_OUTSIDE", "records leads out of the workspace", {
    where: { file: "records" },
    fix: "put the folder into the workspace in place of the link",
  });
}

/** Whether a manifest has a folder of records. A link is none, which is said. @throws FactoryError FILE_UNREADABLE */
function hasFolder(base: string, id: string, onUnreadable: (error: FactoryError) => void): boolean {
  const path = `records/${id}`;
  const stats = ifThere(path, () => lstatSync(join(base, id)));
  if (stats?.isSymbolicLink())
    onUnreadable(
      new FactoryError("RECORD_UNREADABLE", `${path} is a link, so the records behind it do not count`, {
        where: { file: path },
        fix: "put the folder itself in its place",
      }),
    );
  return stats?.isDirectory() ?? false;
}

/**
 * Entries by a key that is read from their lines, the newest first. The table is made when it is first asked: for each key the
 * newest entry, and for each entry the next older one with its key.
 * @param entries the oldest first
 */
function tableOf(
  entries: readonly Entry[],
  keyAt: (bytes: Buffer, start: number) => string,
): (key: string) => Attempt[] {
  let newest: Map<string, number> | undefined;
  let older = new Int32Array(0);
  const fill = () => {
    older = new Int32Array(entries.length);
    const heads = new Map<string, number>();
    for (const [at, { bytes, start }] of entries.entries()) {
      const key = keyAt(bytes, start);
      older[at] = heads.get(key) ?? -1;
      heads.set(key, at);
    }
    return heads;
  };
  return (key) => {
    newest ??= fill();
    const found: Attempt[] = [];
    for (let at = newest.get(key) ?? -1; at >= 0; at = older[at] ?? -1) {
      const entry = entries[at];
      if (entry) found.push(attemptAt(entry.bytes, entry.start, entry.manifestId));
    }
    return found;
  };
}

/** The entry of a record, found by halving. @param entries of one manifest, the oldest first */
function entryOf(entries: readonly Entry[], recordId: string): Entry | undefined {
  let [from, to] = [0, entries.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareText(entries[middle]?.id ?? "", recordId) < 0) from = middle + 1;
    else to = middle;
  }
  return entries[from]?.id === recordId ? entries[from] : undefined;
}

/** What a record says otherwise than the index. */
function differences(record: FactoryRecord, listed: Attempt): string[] {
  const own = attemptOf(record);
  return (Object.keys(own) as (keyof Attempt)[]).flatMap((name) =>
    own[name] === listed[name]
      ? []
      : [`the record's ${name} is ${String(own[name])}, the index has ${String(listed[name])}`],
  );
}

/**
 * The attempts that a workspace's records tell of, as their files are now. They come from an index that is brought up to the
 * files first, and made anew whenever it is in doubt.
 * @param root absolute path of the workspace
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE where records cannot be listed
 */
export async function openAttempts(root: string, options: OpenAttemptsOptions = {}): Promise<Attempts> {
  const { manifestIds, ...given } = options;
  const none = () => undefined;
  const watch = { now: Date.now, onProgress: none, onUnreadable: none, onNote: none, ...given };
  const place = placeOf(root);
  const byManifest = new Map<string, Entry[]>();
  if (place) {
    const names = manifestIds ?? ifThere("records", () => readdirSync(place.base)) ?? [];
    for (const id of [...new Set(names)].filter(isId).sort(compareText)) {
      if (!hasFolder(place.base, id, watch.onUnreadable)) continue;
      const ids = ifThere(`records/${id}`, () => recordIdsIn(join(place.base, id)));
      byManifest.set(id, await openShelf(place, id, ids ?? [], watch));
    }
  }
  const shelves = [...byManifest.values()];
  // In one millisecond with the same digits: by manifest, as the list of records has them.
  const entries =
    shelves.length === 1
      ? (shelves[0] ?? [])
      : shelves.flat().sort((a, b) => compareText(a.id, b.id) || compareText(b.manifestId, a.manifestId));

  const verdicts = tableOf(entries, verdictKeyAt);
  const builds = tableOf(entries, buildKeyAt);
  const cells = tableOf(entries, cellIdAt);
  const withKey = (table: (hex: string) => Attempt[], key: string) =>
    key.startsWith(SCHEME) ? table(key.slice(SCHEME.length)) : [];

  /** @throws FactoryError RECORD_UNREADABLE */
  const read = async ({ manifest_id, record_id }: Attempt): Promise<FactoryRecord> => {
    const located = recordAt(place?.base ?? join(root, "records"), manifest_id, record_id);
    const file = readRecordFile(located);
    if (!file) throw unreadableRecord(located, "is gone");
    const entry = entryOf(byManifest.get(manifest_id) ?? [], record_id);
    // The same bytes are the same record: they were checked when the index was made.
    const checked = entry && sha256At(entry.bytes, entry.start) === sha256Hex(file.bytes);
    return parseRecord(located, file.bytes, checked ? null : await loadRecordCheck());
  };

  return {
    withVerdictKey: (key) => withKey(verdicts, key),
    withBuildKey: (key) => withKey(builds, key),
    ofCell: (manifestId, cellId) => cells(cellId).filter(({ manifest_id }) => manifest_id === manifestId),
    ofManifest: function* (manifestId) {
      const own = byManifest.get(manifestId) ?? [];
      for (let at = own.length - 1; at >= 0; at -= 1) {
        const entry = own[at];
        if (entry) yield attemptAt(entry.bytes, entry.start, manifestId);
      }
    },
    read,
    problems: async (attempt) => {
      let record: FactoryRecord;
      try {
        record = await read(attempt);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        return [error.message];
      }
      const folder = join(place?.base ?? root, attempt.manifest_id);
      const problems = differences(record, attempt);
      if (Object.keys(record.evidence).length === 0) problems.push("it has no evidence at all");
      for (const [kind, evidence] of Object.entries(record.evidence)) {
        const what = proofProblem(folder, evidence);
        if (what !== undefined) problems.push(`${kind}: ${what}`);
      }
      return problems;
    },
  };
}
