import type { Column } from "./column-file.ts";
import type { Field, FIELDS, RecordFilter } from "./listing.ts";
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

/** The value of a field by row. What is the same for many rows is made once. */
export function fieldOf(table: RecordTable, field: Field): (row: number) => Scalar {
  if (field === "manifest") return () => table.manifestId;
  const name = field === "time" ? "record_id" : field.startsWith("fragment:") ? "fragments" : undefined;
  const column = table.columns.column(name ?? COLUMN_OF[field as keyof typeof COLUMN_OF]);
  const fragment = name === "fragments" ? field.slice("fragment:".length) : undefined;
  const made = Array<Scalar | undefined>(column.distinct);
  return (row) => {
    const code = column.codes[row] ?? 0;
    const known = made[code];
    if (known !== undefined) return known;
    const value = column.value(code);
    return (made[code] = fragment === undefined ? (value as Scalar) : versionOf(value as Versions, fragment));
  };
}

/** Which codes of a column pass a test. */
function passing({ distinct, value }: Column, test: (value: unknown) => boolean): Uint8Array {
  return Uint8Array.from({ length: distinct }, (_, code) => (test(value(code)) ? 1 : 0));
}

/** The first row that started at a moment or earlier. Rows are newest first. */
function firstUntil({ columns }: RecordTable, moment: number): number {
  const { codes, value } = columns.column("record_id");
  let [from, to] = [0, columns.rows];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (timeOfRecordId(String(value(codes[middle] ?? 0))) > moment) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The rows of a table that a filter lets through, newest first. */
export function matchingRows(table: RecordTable, filter: RecordFilter): Uint32Array {
  const { columns } = table;
  const from = filter.until === undefined ? 0 : firstUntil(table, filter.until);
  const to = filter.since === undefined ? columns.rows : firstUntil(table, filter.since - 1);
  let rows = Uint32Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
  const keep = (name: ColumnName, test: (value: unknown) => boolean) => {
    if (rows.length === 0) return;
    const column = columns.column(name);
    const passes = passing(column, test);
    rows = rows.filter((row) => passes[column.codes[row] ?? 0] === 1);
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
  if (digest !== undefined && rows.length > 0) {
    const both = (["digest", "manifest_digest"] as const).map((name) => {
      const column = columns.column(name);
      return {
        codes: column.codes,
        passes: passing(column, (value) => typeof value === "string" && value.startsWith(digest)),
      };
    });
    rows = rows.filter((row) => both.some(({ codes, passes }) => passes[codes[row] ?? 0] === 1));
  }
  return rows;
}
