import { FactoryError } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { sha256Hex } from "../model/digest.ts";
import type { Attempt } from "../plan/decide/attempts.ts";
import { type IndexFile, type IndexLines, openIndexFile } from "./index-file.ts";
import { hasStamp, idAt, lineAt, lineOf, sha256At, wholeAt } from "./index-line.ts";
import { listedOf } from "./listed.ts";
import { type Located, recordAt } from "./locate.ts";
import { loadRecordCheck, parseRecord, type RecordCheck, readRecordFile } from "./read-record.ts";
import type { StoredRecord } from "./stored-record.ts";
import { stampAt } from "../files/read-regular.ts";

/** A valid record, by its line in the index. */
export interface Entry {
  id: string;
  manifestId: string;
  /** Lines of an index, and where this one starts. */
  bytes: Buffer;
  start: number;
}

export interface ShelfWatch {
  /** Milliseconds since 1970, by the clock that stamps files. */
  now: () => number;
  /** How many records of a manifest were read, and how many have to be. Not called if none has to be. */
  onProgress: (read: number, of: number) => void;
  /** A file that is named like a record but is not one. It proves nothing, and is not remembered. */
  onUnreadable: (error: FactoryError) => void;
  /** Gets what keeps the index from being used. Answers do not depend on that. */
  onNote: (text: string) => void;
}

/**
 * Coarsest tick of a file system's clock, in milliseconds. A record that changed within one tick before it was read could
 * change again without a new stamp, so it is not remembered.
 */
export const TICK = 2000;

/** How many records are read before other work gets its turn. */
const BATCH = 256;

/** Up to this many useless lines, the index is not written again. */
const DEAD_KEPT = 1000;

/** A line to be added to the index; `settled` if it may be remembered. */
interface Fresh {
  id: string;
  line: string;
  settled: boolean;
}

/** What a record says about its attempt. */
export function attemptOf(record: StoredRecord): Attempt {
  const { record_id, manifest_id, cell_id, platform, build_key, verdict_key, result, image } = record;
  const { status, stage, class: failure, tested_at, duration_ms } = result;
  return {
    record_id,
    manifest_id,
    cell_id,
    platform,
    build_key,
    verdict_key,
    status,
    stage,
    class: failure,
    tested_at,
    duration_ms,
    digest: image?.digest ?? null,
    ref: image?.ref ?? null,
    pushed: image?.pushed ?? false,
    proves: record.schema_version !== 1 && record.repacked === undefined,
  };
}

function ofRecord(record: StoredRecord) {
  return { attempt: attemptOf(record), listed: listedOf(record) };
}

/** Whether a file is still the one that a line is about, as far as its stamp shows. */
function isCurrent(lines: IndexLines, start: number, file: string): boolean {
  let stamp: string | undefined;
  try {
    stamp = stampAt(file);
  } catch {
    // Reading it shows why.
    return false;
  }
  return stamp !== undefined && hasStamp(lines.bytes, start, stamp);
}

/** What is known about one record, and where its file is. */
interface Stale {
  located: Located;
  /** The start of the line about an earlier state of the file. */
  start: number | undefined;
}

/**
 * Reads a record for the index. Bytes that already have a line are not checked against the schema again.
 * @returns undefined if the file is gone
 * @throws FactoryError RECORD_UNREADABLE
 */
function readOne({ located, start }: Stale, { bytes: old }: IndexLines, check: RecordCheck, now: number) {
  const file = readRecordFile(located);
  if (!file) return undefined;
  const sha256 = sha256Hex(file.bytes);
  const known =
    start !== undefined && sha256At(old, start) === sha256
      ? wholeAt(old, start, located.manifestId)
      : ofRecord(parseRecord(located, file.bytes, check));
  return {
    id: located.recordId,
    line: lineOf(known.attempt, known.listed, { sha256, stamp: file.stamp }),
    settled: now - file.changedMs > TICK,
  };
}

/** Reads records for the index, and lets other work have its turn now and then. */
async function readAll(stale: readonly Stale[], lines: IndexLines, watch: ShelfWatch): Promise<Fresh[]> {
  if (stale.length === 0) return [];
  const check = await loadRecordCheck();
  const fresh: Fresh[] = [];
  for (const [at, one] of stale.entries()) {
    if (at % BATCH === BATCH - 1) {
      watch.onProgress(at, stale.length);
      await new Promise((done) => setImmediate(done));
    }
    try {
      const read = readOne(one, lines, check, watch.now());
      if (read) fresh.push(read);
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      watch.onUnreadable(error);
    }
  }
  watch.onProgress(stale.length, stale.length);
  return fresh;
}

/** Adds what was read to the index, if it may be remembered. */
async function remember(index: IndexFile, live: readonly number[], fresh: readonly Fresh[]): Promise<void> {
  const added = fresh.flatMap(({ line, settled }) => (settled ? [line] : [])).join("");
  const { lines } = index;
  if (lines && lines.starts.length - live.length <= live.length + DEAD_KEPT) {
    if (added !== "") index.append(added);
  } else if (lines || added !== "") {
    const kept = lines ? live.map((start) => lineAt(lines.bytes, start)).join("") : "";
    await index.replace(kept + added);
  }
}

/**
 * Updates what is known about a manifest's records from its files: a stat of each file that the index knows, and a reading
 * of every other one. The stats are most of the work, a few microseconds each; without them an edit in place would go
 * unnoticed.
 * @param place real paths of the workspace, and of the folder `records` in it
 * @param manifestId checked; its folder is not a link
 * @param ids of all files in that folder that are named like records
 * @returns oldest first; `settled` if all of it may be remembered
 */
export async function openShelf(
  { root, base }: { root: string; base: string },
  manifestId: string,
  ids: readonly string[],
  watch: ShelfWatch,
): Promise<{ entries: Entry[]; settled: boolean }> {
  const index = openIndexFile(root, manifestId, watch.onNote);
  const lines = index.lines ?? { bytes: Buffer.alloc(0), starts: [] };
  const known = new Map(lines.starts.map((start) => [idAt(lines.bytes, start), start]));

  const live: { id: string; start: number }[] = [];
  const stale: Stale[] = [];
  for (const id of ids) {
    const start = known.get(id);
    const located = recordAt(base, manifestId, id);
    if (start !== undefined && isCurrent(lines, start, located.file)) live.push({ id, start });
    else stale.push({ located, start });
  }
  const fresh = await readAll(stale, lines, watch);
  await remember(
    index,
    live.map(({ start }) => start),
    fresh,
  );

  const added = fresh.map(({ line }) => line);
  const bytes =
    added.length > 0 ? Buffer.concat([lines.bytes, Buffer.from(added.join(""), "latin1")]) : lines.bytes;
  let end = lines.bytes.length;
  for (const { id, line } of fresh) {
    live.push({ id, start: end });
    end += line.length;
  }
  const entries = live
    .sort((a, b) => compareText(a.id, b.id))
    .map(({ id, start }) => ({ id, manifestId, bytes, start }));
  return { entries, settled: fresh.every(({ settled }) => settled) };
}
