import { basename, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { changeAt, readRegularPart, stampAt } from "../files/read-regular.ts";
import {
  type ByteSource,
  columnFile,
  type Columns,
  DamagedColumns,
  fromMemory,
  openColumns,
} from "./column-file.ts";
import { barrier, INDEX_FOLDER, schemaHash } from "./index-file.ts";
import { wholeAt } from "./index-line.ts";
import { recordAt, recordIdsIn } from "./locate.ts";
import type { Place } from "./place.ts";
import { loadRecordCheck, readRecord } from "./read-record.ts";
import { openShelf, type ShelfWatch, TICK } from "./shelf.ts";
import type { RecordProblem } from "./problem.ts";

/** The records of a manifest as a table, newest first, and the files that are named like records but are not. */
export interface RecordTable {
  manifestId: string;
  columns: Columns;
  unreadable: RecordProblem[];
}

/** Up to this many records, the file of each is looked at before anything is said. Of more, only those that are shown. */
const MOST_LOOKED_AT = 10_000;

interface About {
  schema: "factory/records-table";
  version: 2;
  manifest_id: string;
  /** A hash of the schema of records. */
  records: string;
  /** Of the folder. */
  stamp: string;
  /** Ids of files that are not records. */
  unreadable: string[];
}

function aboutOf(manifestId: string, stamp: string, unreadable: string[]): About {
  const records = schemaHash();
  return {
    schema: "factory/records-table",
    version: 2,
    manifest_id: manifestId,
    records,
    stamp,
    unreadable,
  };
}

/** A file that is read as it is needed; undefined if there is none that can be read. */
function sourceOf(file: string): ByteSource | undefined {
  const found = changeAt(file);
  if (!found) return undefined;
  const { stamp } = found;
  return {
    size: Number(stamp.split(" ")[0]),
    read: (from, length) => readPart(file, { from, length, stamp }),
  };
}

function readPart(file: string, part: Parameters<typeof readRegularPart>[1]): Buffer | undefined {
  try {
    return readRegularPart(file, part);
  } catch {
    // It is made anew.
    return undefined;
  }
}

/** The table of a file, if it is of the folder as it is now. */
function remembered(file: string, manifestId: string, stamp: string) {
  const source = sourceOf(file);
  const opened = source && openColumns(source);
  if (!opened) return undefined;
  const { unreadable } = opened.about as About;
  const wanted = aboutOf(manifestId, stamp, unreadable);
  if (JSON.stringify(opened.about) !== JSON.stringify(wanted)) return undefined;
  return { columns: opened.columns, unreadable };
}

/** Whether the file of a row is no longer the one that was read. */
function hasChanged(base: string, { manifestId, columns }: RecordTable, row: number): boolean {
  const { file } = recordAt(base, manifestId, String(columns.valueAt("record_id", row)));
  const stamp = columns.valueAt("stamp", row);
  try {
    return stampAt(file) !== stamp;
  } catch {
    // Reading it shows why.
    return true;
  }
}

/** Whether one of these rows is about a file that has changed. @param rows default: all, unless they are very many */
export function isOutdated(base: string, table: RecordTable, rows?: Iterable<number>): boolean {
  const all = table.columns.rows <= MOST_LOOKED_AT ? Array(table.columns.rows).keys() : [];
  for (const row of rows ?? all) if (hasChanged(base, table, row)) return true;
  return false;
}

/** Reads again what was no record; undefined if one of them is a record now. */
async function stillUnreadable(
  base: string,
  manifestId: string,
  ids: readonly string[],
): Promise<RecordProblem[] | undefined> {
  if (ids.length === 0) return [];
  const check = await loadRecordCheck();
  const problems: RecordProblem[] = [];
  for (const id of ids) {
    try {
      readRecord(recordAt(base, manifestId, id), check);
      return undefined;
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      problems.push(problemOf(error));
    }
  }
  return problems;
}

/** @param error about a file that is named like a record */
function problemOf(error: FactoryError): RecordProblem {
  return {
    record_id: basename(error.where?.file ?? "", ".json"),
    code: "RECORD_UNREADABLE",
    what: error.message,
    evidence: "record",
  };
}

type Whole = ReturnType<typeof wholeAt>;

/** What each column holds. */
const COLUMNS = {
  record_id: ({ attempt }) => attempt.record_id,
  cell_id: ({ attempt }) => attempt.cell_id,
  platform: ({ attempt }) => attempt.platform,
  status: ({ attempt }) => attempt.status,
  expected: ({ listed }) => listed.expected,
  stage: ({ attempt }) => attempt.stage,
  class: ({ attempt }) => attempt.class,
  tested_at: ({ attempt }) => attempt.tested_at,
  duration_ms: ({ attempt }) => attempt.duration_ms,
  template: ({ listed }) => listed.template,
  base: ({ listed }) => listed.base,
  fragments: ({ listed }) => listed.fragments,
  args: ({ listed }) => listed.args,
  ref: ({ attempt }) => attempt.ref,
  digest: ({ attempt }) => attempt.digest,
  manifest_digest: ({ listed }) => listed.manifest_digest,
  size: ({ listed }) => listed.size,
  sbom: ({ listed }) => listed.sbom,
  stamp: ({ stamp }) => stamp,
} as const satisfies Record<string, (of: Whole) => unknown>;

export type ColumnName = keyof typeof COLUMNS;

/** Makes the table from the files, by way of the index, and remembers it if nothing in it is too young. */
async function made(place: Place, manifestId: string, watch: ShelfWatch): Promise<RecordTable> {
  const folder = join(place.base, manifestId);
  const began = watch.now();
  const change = changeAt(folder);
  const unreadable: RecordProblem[] = [];
  const { entries, settled } = await openShelf(place, manifestId, recordIdsIn(place.base, manifestId), {
    ...watch,
    onUnreadable: (error) => unreadable.push(problemOf(error)),
  });
  const rows = entries.map(({ bytes, start }) => wholeAt(bytes, start, manifestId)).reverse();
  const columns = Object.entries<(of: Whole) => unknown>(COLUMNS);
  const names = columns.map(([name, of]) => [name, rows.map(of)] as const);
  const ids = unreadable.flatMap(({ record_id }) => record_id ?? []);
  const about = aboutOf(manifestId, change?.stamp ?? "", ids);
  const bytes = columnFile(about, rows.length, Object.fromEntries(names));
  const path = fileOf(manifestId);
  if (change && settled && began - change.changedMs > TICK && barrier(place.root, path) === undefined) {
    try {
      const { writeWhole } = await import("../files/write-whole.ts");
      writeWhole(join(place.root, ...path), bytes, false);
    } catch (error) {
      if (!(error instanceof FactoryError)) throw error;
      watch.onNote(`the table ${path.join("/")} cannot be written: ${error.message}`);
    }
  }
  const opened = openColumns(fromMemory(bytes));
  if (!opened) throw new Error("a table that was just made cannot be read");
  return { manifestId, columns: opened.columns, unreadable };
}

function fileOf(manifestId: string): string[] {
  return [...INDEX_FOLDER, `${manifestId}.table`];
}

/**
 * The records of a manifest as their files are now. Like the index it is remembered in `.factory/records`, and made anew
 * whenever it is in doubt: if the folder has changed since, or if a file has.
 * @param manifestId checked; its folder is not a link
 * @param anew whether what is remembered is known to be wrong
 * @throws FactoryError FILE_UNREADABLE
 */
export async function openRecordTable(
  place: Place,
  manifestId: string,
  watch: ShelfWatch,
  anew = false,
): Promise<RecordTable> {
  const path = fileOf(manifestId);
  const stamp = stampAt(join(place.base, manifestId));
  if (!anew && stamp !== undefined && barrier(place.root, path) === undefined) {
    const known = remembered(join(place.root, ...path), manifestId, stamp);
    const unreadable = known && (await stillUnreadable(place.base, manifestId, known.unreadable));
    if (known && unreadable) {
      const table = { manifestId, columns: known.columns, unreadable };
      try {
        if (!isOutdated(place.base, table)) return table;
      } catch (error) {
        if (!(error instanceof DamagedColumns)) throw error;
      }
    }
  }
  return made(place, manifestId, watch);
}
