import { readdirSync } from "node:fs";
import { isId } from "../catalog/names.ts";
import { compareText } from "../model/compare.ts";
import { hasFolder } from "./attempts.ts";
import { DamagedColumns } from "./column-file.ts";
import { manifestFolders, recordIdsIn } from "./locate.ts";
import { ifThere, type Place, placeOf } from "./place.ts";
import { timeOfRecordId } from "./record-id.ts";
import type {
  Field,
  ListRequest,
  RecordFilter,
  RecordGroup,
  RecordList,
  RecordSummary,
} from "./list-request.ts";
import type { Holding } from "./packages/rows-holding.ts";
import type { RecordProblem } from "./problem.ts";
import { fieldOf, matchingRows, rowsHolding, valuesOf } from "./record-rows.ts";
import { type ColumnName, isOutdated, openRecordTable, type RecordTable } from "./record-table.ts";
import type { ShelfWatch } from "./shelf.ts";

/** A row of one of several tables. */
interface At {
  table: RecordTable;
  row: number;
}

/** The table of a manifest, and the rows that are asked for. */
interface Found {
  table: RecordTable;
  rows: Uint32Array;
}

function summaryAt({ table, row }: At, holding: Holding | null): RecordSummary {
  const { columns, manifestId } = table;
  const value = (name: ColumnName) => columns.valueAt(name, row);
  const text = (name: ColumnName) => value(name) as string;
  const orNull = (name: ColumnName) => value(name) as string | null;
  return {
    record_id: text("record_id"),
    manifest_id: manifestId,
    cell_id: text("cell_id"),
    platform: text("platform"),
    status: value("status") as RecordSummary["status"],
    expected: value("expected") as boolean,
    stage: text("stage"),
    class: orNull("class"),
    tested_at: text("tested_at"),
    duration_ms: value("duration_ms") as number,
    digest: orNull("digest"),
    manifest_digest: orNull("manifest_digest"),
    ref: orNull("ref"),
    size: value("size") as number | null,
    template: text("template"),
    base: text("base"),
    fragments: Object.fromEntries(value("fragments") as [string, string][]),
    args: value("args") as RecordSummary["args"],
    ...(holding && { packages: holding.get(table)?.get(String(value("sbom"))) ?? [] }),
  };
}

/** Files that are named like records in folders that no manifest can have. */
function misplaced(base: string, filter: RecordFilter): RecordProblem[] {
  return manifestFolders(base)
    .filter((name) => !isId(name) && (filter.manifestId ?? name) === name)
    .flatMap((name) =>
      recordIdsIn(base, name).map((record_id): RecordProblem => ({
        record_id,
        code: "RECORD_UNREADABLE",
        what: `the record ${record_id} is in a folder that has no manifest's name`,
        evidence: "record",
      })),
    );
}

/** The manifests that have a folder of records, sorted. */
function manifestsIn({ base }: Place, wanted: string | undefined, watch: ShelfWatch): string[] {
  const names = wanted === undefined ? (ifThere("records", () => readdirSync(base)) ?? []) : [wanted];
  return names.filter((id) => isId(id) && hasFolder(base, id, watch.onUnreadable)).sort(compareText);
}

/** Newest first; of two with one id, that of the first manifest. */
function byTime(a: At, b: At): number {
  const id = ({ table, row }: At) => String(fieldOf(table, "time")(row));
  return compareText(id(b), id(a)) || compareText(a.table.manifestId, b.table.manifestId);
}

/** Rows of all tables, newest first. @param most how many are needed at most */
function merged(found: readonly Found[], most: number): At[] {
  const [only, ...more] = found;
  const heads = found.flatMap(({ table, rows }) =>
    Array.from(rows.subarray(0, most), (row): At => ({ table, row })),
  );
  return only && more.length === 0 ? heads : heads.sort(byTime).slice(0, most);
}

/** Sorted by a field; what has none comes last, and what is equal newest first. */
function sorted(found: readonly Found[], { by, reverse, compare }: NonNullable<ListRequest["sort"]>): At[] {
  const valueOf = new Map(found.map(({ table }) => [table, fieldOf(table, by)]));
  const keyed = merged(found, Infinity).map((at) => ({ at, key: valueOf.get(at.table)?.(at.row) ?? null }));
  const order = (a: string | number, b: string | number) =>
    typeof a === "number" && typeof b === "number" ? a - b : (compare ?? compareText)(String(a), String(b));
  keyed.sort(({ key: a }, { key: b }) =>
    a === null || b === null ? Number(a === null) - Number(b === null) : reverse ? order(b, a) : order(a, b),
  );
  return keyed.map(({ at }) => at);
}

/** Groups by the values of some fields: the largest first. */
function grouped(found: readonly Found[], fields: readonly Field[]): RecordGroup[] {
  const groups = new Map<string, RecordGroup>();
  for (const { table, rows } of found) {
    const values = fields.map((field) => fieldOf(table, field));
    const [status, id] = [fieldOf(table, "status"), fieldOf(table, "time")];
    const isExpected = valuesOf(table, "expected", Boolean);
    for (const row of rows) {
      const own = values.map((of) => of(row));
      const key = JSON.stringify(own);
      let group = groups.get(key);
      if (!group) {
        const by = Object.fromEntries(fields.map((field, at) => [field, own[at] ?? null]));
        group = { by, total: 0, pass: 0, fail: 0, error: 0, unexpected: 0, newest: "" };
        groups.set(key, group);
      }
      group.total += 1;
      group[status(row) as RecordSummary["status"]] += 1;
      if (!isExpected(row)) group.unexpected += 1;
      const own_id = String(id(row));
      if (own_id > group.newest) group.newest = own_id;
    }
  }
  return [...groups]
    .sort(([a, one], [b, other]) => other.total - one.total || compareText(a, b))
    .map(([, group]) => group);
}

/** What tables say in answer to a request. */
function answer(
  tables: readonly RecordTable[],
  request: ListRequest,
  holding: Holding | null,
): Omit<RecordList, "unreadable" | "doubts"> & { shown: At[] } {
  const { offset = 0, limit = Infinity, groupBy, sort } = request;
  const found = tables.map((table): Found => {
    const rows = matchingRows(table, request);
    return { table, rows: holding ? rowsHolding(table, rows, holding.get(table)) : rows };
  });
  const records = found.reduce((sum, { rows }) => sum + rows.length, 0);
  if (groupBy) {
    const groups = grouped(found, groupBy);
    return {
      records: [],
      groups: groups.slice(offset, offset + limit),
      total: groups.length,
      shown: [],
    };
  }
  const isByTime = sort === undefined || (sort.by === "time" && sort.reverse);
  const all = isByTime ? merged(found, offset + limit) : sorted(found, sort);
  const shown = all.slice(offset, offset + limit);
  return { records: shown.map((at) => summaryAt(at, holding)), groups: null, total: records, shown };
}

/** The tables again, those with a shown row that has changed anew. */
async function reopened(
  place: Place,
  tables: readonly RecordTable[],
  shown: readonly At[],
  watch: ShelfWatch,
) {
  const rows = new Map<RecordTable, number[]>();
  for (const { table, row } of shown) {
    const own = rows.get(table);
    if (own) own.push(row);
    else rows.set(table, [row]);
  }
  const outdated = new Set(
    [...rows].flatMap(([table, own]) => (isOutdated(place.base, table, own) ? [table] : [])),
  );
  if (outdated.size === 0) return undefined;
  const again: RecordTable[] = [];
  for (const table of tables)
    again.push(outdated.has(table) ? await openRecordTable(place, table.manifestId, watch, true) : table);
  return again;
}

/**
 * Lists records, or groups of them.
 * @param root absolute path of the workspace
 * @throws FactoryError FILE_OUTSIDE, FILE_UNREADABLE
 */
export async function listRecords(
  root: string,
  request: ListRequest,
  given: Partial<ShelfWatch> = {},
): Promise<RecordList> {
  const none = () => undefined;
  const links: RecordProblem[] = [];
  const watch: ShelfWatch = { now: Date.now, onProgress: none, onUnreadable: none, onNote: none, ...given };
  const place = placeOf(root);
  if (!place)
    return { records: [], groups: request.groupBy ? [] : null, total: 0, unreadable: [], doubts: {} };
  const ids = manifestsIn(place, request.manifestId, {
    ...watch,
    onUnreadable: ({ message }) => {
      links.push({ record_id: null, code: "RECORD_UNREADABLE", what: message, evidence: "record" });
    },
  });
  const open = async (anew: boolean) => {
    const tables: RecordTable[] = [];
    for (const id of ids) tables.push(await openRecordTable(place, id, watch, anew));
    return tables;
  };
  let tables = await open(false);
  let result: ReturnType<typeof answer>;
  let doubts: Record<string, number> = {};
  const { packages } = request;
  const ask = async () => {
    if (!packages) return answer(tables, request, null);
    const { holdingOf } = await import("./packages/rows-holding.ts");
    const held = await holdingOf(place, tables, { ...request, packages }, watch);
    doubts = held.doubts;
    return answer(tables, request, held.holding);
  };
  try {
    result = await ask();
  } catch (error) {
    if (!(error instanceof DamagedColumns)) throw error;
    tables = await open(true);
    result = await ask();
  }
  const again = await reopened(place, tables, result.shown, watch);
  if (again) {
    tables = again;
    result = await ask();
  }
  const { since = -Infinity, until = Infinity } = request;
  const isMeant = ({ record_id }: RecordProblem) => {
    const time = record_id === null ? since : timeOfRecordId(record_id);
    return time >= since && time <= until;
  };
  const { records, groups, total } = result;
  const unreadable = [...tables.flatMap((table) => table.unreadable), ...misplaced(place.base, request)]
    .filter(isMeant)
    .sort((a, b) => compareText(b.record_id ?? "", a.record_id ?? ""));
  return { records, groups, total, unreadable: [...links, ...unreadable], doubts };
}
