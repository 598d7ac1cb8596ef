import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isId } from "../catalog/names.ts";
import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Attempt, Attempts } from "../plan/decide/attempts.ts";
import { checkRecord } from "./check.ts";
import { entryOf, tableOf } from "./entry-table.ts";
import { attemptAt, buildKeyAt, cellIdAt, sha256At, verdictKeyAt } from "./index-line.ts";
import { type Ledgers, readLedgers } from "./ledger.ts";
import { recordAt, recordIdsIn, recordPath, unreadableRecord } from "./locate.ts";
import { ifThere, placeOf } from "./place.ts";
import { openProven, type Proven } from "./proven.ts";
import { prunedOf, prunedText } from "./pruned.ts";
import { loadRecordCheck, parseRecord, readRecordFile } from "./read-record.ts";
import { attemptOf, type Entry, openShelf } from "./shelf.ts";
import type { StageRules } from "./proof/prove-result.ts";
import type { AttemptsRequest } from "./store.ts";
import type { StoredRecord } from "./stored-record.ts";

const SCHEME = "sha256:";

/** Whether a manifest has a folder of records. A link does not count, and is reported. @throws FactoryError FILE_UNREADABLE */
export function hasFolder(base: string, id: string, onUnreadable: (error: FactoryError) => void): boolean {
  const path = `records/${id}`;
  const stats = ifThere(path, () => lstatSync(join(base, id)));
  if (stats?.isSymbolicLink())
    onUnreadable(
      new FactoryError("RECORD_UNREADABLE", `${path} is a link, so its records do not count`, {
        where: { file: path },
        fix: "replace the link with the folder itself",
      }),
    );
  return stats?.isDirectory() ?? false;
}

/** How long the ids of records of the old form are. */
const OLD_ID = "20260131t120000000z-1a2b3c4d".length;

/**
 * Whether an attempt is one at its cell. One whose image has the cell's files in other layers says nothing of the image that the
 * cell has. Records of the old form prove nothing either, but are compared with.
 */
function isOfCell({ proves, record_id }: Attempt): boolean {
  return proves || record_id.length === OLD_ID;
}

/** Where a record differs from the index. */
function differences(record: StoredRecord, listed: Attempt): string[] {
  const own = attemptOf(record);
  return (Object.keys(own) as (keyof Attempt)[]).flatMap((name) =>
    own[name] === listed[name]
      ? []
      : [`the record's ${name} is ${String(own[name])}, the index has ${String(listed[name])}`],
  );
}

/** The missing records by verdict key, and the warnings about them. */
function lostOf(manifestId: string, ids: readonly string[], { entries, done, problems }: Ledgers) {
  const there = new Set(ids);
  const byKey = new Map<string, string>();
  let count = 0;
  for (const id of done) {
    if (there.has(id)) continue;
    count += 1;
    const key = entries.get(id)?.verdict_key ?? "";
    if (id > (byKey.get(key) ?? "")) byKey.set(key, id);
  }
  const warnings = problems.map(({ what }) => `warning: records/${manifestId}/${what}`);
  if (count > 0)
    warnings.push(
      `warning: ${count} record${count === 1 ? "" : "s"} of ${manifestId} named in a ledger ${count === 1 ? "is" : "are"} missing: see \`factory records verify\``,
    );
  return { byKey, warnings };
}

/** What is known about one manifest's records. */
interface Shelf {
  entries: Entry[];
  ledgers: Ledgers;
  /** The newest missing record, by verdict key without its scheme. */
  lost: ReadonlyMap<string, string>;
  /** Opened when a record is first checked against its evidence. */
  proven?: Proven;
}

/**
 * The attempts in a workspace's records, as their files are now. They come from an index, which is first updated from the
 * files, and rebuilt whenever it is in doubt.
 * @param root absolute path of the workspace
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE if records cannot be listed
 */
export async function openAttempts(
  root: string,
  rules: () => Promise<StageRules>,
  request: AttemptsRequest = {},
): Promise<Attempts> {
  const { manifestIds, ...given } = request;
  const none = () => undefined;
  const watch = { now: Date.now, onProgress: none, onUnreadable: none, onNote: none, ...given };
  const place = placeOf(root);
  const byManifest = new Map<string, Shelf>();
  if (place) {
    const names = manifestIds ?? ifThere("records", () => readdirSync(place.base)) ?? [];
    for (const id of [...new Set(names)].filter(isId).sort(compareText)) {
      if (!hasFolder(place.base, id, watch.onUnreadable)) continue;
      const folder = join(place.base, id);
      const ids = recordIdsIn(place.base, id);
      const ledgers = readLedgers(folder, id);
      const { byKey, warnings } = lostOf(id, ids, ledgers);
      warnings.forEach(watch.onNote);
      const { entries } = await openShelf(place, id, ids, watch);
      byManifest.set(id, {
        entries,
        ledgers,
        lost: byKey,
      });
    }
  }
  const shelves = [...byManifest.values()].map(({ entries }) => entries);
  // The same id in two manifests: they are ordered by manifest, as in the list of records.
  const entries =
    shelves.length === 1
      ? (shelves[0] ?? [])
      : shelves.flat().sort((a, b) => compareText(a.id, b.id) || compareText(b.manifestId, a.manifestId));

  const verdicts = tableOf(entries, verdictKeyAt);
  const builds = tableOf(entries, buildKeyAt);
  const cells = tableOf(entries, cellIdAt);
  const plain = new Set<string>();
  const withKey = (table: (hex: string) => Attempt[], key: string) =>
    key.startsWith(SCHEME) ? table(key.slice(SCHEME.length)).filter(isOfCell) : [];

  /** @throws FactoryError RECORD_UNREADABLE */
  const read = async ({
    manifest_id,
    record_id,
  }: Attempt): Promise<{ record: StoredRecord; sha256: string }> => {
    const located = recordAt(place?.base ?? join(root, "records"), manifest_id, record_id);
    const file = readRecordFile(located);
    if (!file) throw unreadableRecord(located, "is gone");
    const sha256 = sha256Hex(file.bytes);
    const entry = entryOf(byManifest.get(manifest_id)?.entries ?? [], record_id);
    // The same bytes were already checked when the index was made.
    const checked = entry && sha256At(entry.bytes, entry.start) === sha256;
    return { record: parseRecord(located, file.bytes, checked ? null : await loadRecordCheck()), sha256 };
  };

  return {
    withVerdictKey: (key) => withKey(verdicts, key),
    withBuildKey: (key) => withKey(builds, key),
    inOtherLayers: (key) =>
      key.startsWith(SCHEME) ? builds(key.slice(SCHEME.length)).filter((one) => !isOfCell(one)) : [],
    ofCell: (manifestId, cellId) =>
      cells(cellId).filter((one) => one.manifest_id === manifestId && isOfCell(one)),
    ofManifest: function* (manifestId) {
      const own = byManifest.get(manifestId)?.entries ?? [];
      for (let at = own.length - 1; at >= 0; at -= 1) {
        const entry = own[at];
        const attempt = entry && attemptAt(entry.bytes, entry.start, manifestId);
        if (attempt && isOfCell(attempt)) yield attempt;
      }
    },
    read: async (attempt) => (await read(attempt)).record,
    problems: async (attempt) => {
      const { manifest_id } = attempt;
      const shelf = byManifest.get(manifest_id);
      try {
        const { record, sha256 } = await read(attempt);
        const problems = differences(record, attempt);
        if (!place || !shelf) return [...problems, "its manifest has no records"];
        if (record.schema_version === 1) problems.push("a record of the old form proves nothing");
        const own = await rules();
        shelf.proven ??= openProven(place.root, manifest_id, { rules: own.id, note: watch.onNote });
        const found = checkRecord(record, sha256, {
          folder: join(place.base, manifest_id),
          ledgers: shelf.ledgers,
          reread: () => (shelf.ledgers = readLedgers(join(place.base, manifest_id), manifest_id)),
          plain,
          rules: own,
          proven: shelf.proven,
        });
        const gone = prunedOf(shelf.ledgers, attempt.record_id, sha256);
        if (gone) problems.push(prunedText(gone));
        return [...problems, ...found.map(({ code, what }) => `${code}: ${what}`)];
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        return [error.message];
      }
    },
    lost: ({ manifest_id, record_id, verdict_key }) => {
      const shelf = byManifest.get(manifest_id);
      const gone = shelf?.lost.get(verdict_key.slice(SCHEME.length));
      if (gone !== undefined && gone > record_id) return gone;
      const doubt = shelf?.ledgers.doubtBefore ?? null;
      return doubt !== null && record_id < doubt ? `before ${doubt}` : null;
    },
    pruned: ({ manifest_id, record_id }) => {
      const shelf = byManifest.get(manifest_id);
      // Hardly any has such a line.
      if (!shelf?.ledgers.pruned.has(record_id)) return null;
      const entry = entryOf(shelf.entries, record_id);
      return entry
        ? (prunedOf(shelf.ledgers, record_id, sha256At(entry.bytes, entry.start))?.at ?? null)
        : null;
    },
    nameOf: ({ manifest_id, record_id }) => recordPath(manifest_id, record_id),
  };
}
