import type { Chunk } from "./column-file.ts";
import { type Field, type FIELDS, fragmentOf, type RecordFilter } from "./list-request.ts";
import type { ColumnName, RecordTable } from "./record-table.ts";
import { timeOfRecordId } from "./record-id.ts";

type Versions = readonly (readonly [name: string, version: string])[];

const COLUMN_OF: Record<Exclude<(typeof FIELDS)[number], "manifest" | "time">, ColumnName> = {
  cell: "cell_id",
  platform: "platform",
  status: "status",
  stage: "stage",
  class: "class",
  template: "template",
  base: "base",
  tag: "ref",
  digest: "digest",
  duration: "duration_ms",
  size: "size",
};

/** The version of a fragment in a record; null if the record does not have the fragment. */
function versionOf(versions: Versions, name: string): string | null {
  return versions.find(([own]) => own === name)?.[1] ?? null;
}

type Scalar = string | number | null;

/** What is made of a column's value, by row. What is the same for many rows of a chunk is made once. */
export function valuesOf<T>(
  { columns }: RecordTable,
  name: ColumnName,
  make: (value: unknown) => T,
): (row: number) => T {
  let chunk: Chunk | undefined;
  let codes: Uint32Array = new Uint32Array(0);
  let made: { of: T }[] = [];
  return (row) => {
    if (!chunk || row < chunk.from || row >= chunk.from + chunk.rows) {
      chunk = columns.chunks.find(({ from, rows }) => row >= from && row < from + rows);
      codes = chunk?.column(name).codes ?? codes;
      made = [];
    }
    const code = codes[row - (chunk?.from ?? 0)] ?? 0;
    return (made[code] ??= { of: make(chunk?.column(name).value(code)) }).of;
  };
}

/** The value of a field by row. */
export function fieldOf(table: RecordTable, field: Field): (row: number) => Scalar {
  if (field === "manifest") return () => table.manifestId;
  const fragment = fragmentOf(field);
  if (fragment !== undefined)
    return valuesOf(table, "fragments", (value) => versionOf(value as Versions, fragment));
  const name = field === "time" ? "record_id" : COLUMN_OF[field as keyof typeof COLUMN_OF];
  return valuesOf(table, name, (value) => value as Scalar);
}

/** Of some rows, in their order, those whose value passes a test. */
function passing(
  { columns }: RecordTable,
  rows: Uint32Array,
  name: ColumnName,
  test: (value: unknown) => boolean,
): Uint32Array {
  const passed = new Uint32Array(rows.length);
  let count = 0;
  let at = 0;
  for (const { from, rows: own, column } of columns.chunks) {
    const end = from + own;
    if ((rows[at] ?? end) >= end) continue;
    const { codes, distinct, value } = column(name);
    const passes = Uint8Array.from({ length: distinct }, (_, code) => (test(value(code)) ? 1 : 0));
    for (; at < rows.length && (rows[at] ?? end) < end; at += 1) {
      const row = rows[at] ?? 0;
      if (passes[codes[row - from] ?? 0] === 1) passed[count++] = row;
    }
  }
  return passed.subarray(0, count);
}

/** The first row that started at a moment or earlier. Rows are newest first. */
function firstUntil({ columns }: RecordTable, moment: number): number {
  let [from, to] = [0, columns.rows];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (timeOfRecordId(String(columns.valueAt("record_id", middle))) > moment) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The rows of a table that a filter lets through, newest first. */
export function matchingRows(table: RecordTable, filter: RecordFilter): Uint32Array {
  const from = filter.until === undefined ? 0 : firstUntil(table, filter.until);
  const to = filter.since === undefined ? table.columns.rows : firstUntil(table, filter.since - 1);
  let rows: Uint32Array = Uint32Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
  const keep = (name: ColumnName, test: (value: unknown) => boolean) => {
    rows = passing(table, rows, name, test);
  };
  for (const [name, wanted] of [
    ["status", filter.status],
    ["platform", filter.platform],
    ["class", filter.class],
    ["cell_id", filter.cellId],
  ] as const)
    if (wanted !== undefined) keep(name, (value) => value === wanted);
  for (const { name, test } of filter.fragments ?? [])
    keep("fragments", (value) => (value as Versions).some(([own, version]) => own === name && test(version)));
  const { digest } = filter;
  if (digest !== undefined) {
    const begins = (value: unknown) => typeof value === "string" && value.startsWith(digest);
    const [image, manifest] = (["digest", "manifest_digest"] as const).map((name) =>
      passing(table, rows, name, begins),
    );
    rows = Uint32Array.from(new Set([...(image ?? []), ...(manifest ?? [])])).sort();
  }
  return rows;
}

/** Of some rows, those whose SBOM is among some. */
export function rowsHolding(
  table: RecordTable,
  rows: Uint32Array,
  sboms: ReadonlyMap<string, unknown> | undefined,
): Uint32Array {
  return passing(table, rows, "sbom", (value) => sboms?.has(String(value)) ?? false);
}
