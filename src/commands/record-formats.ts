import { visible, visibleLines } from "../model/visible.ts";
import type { RecordGroup, RecordSummary } from "../records/listing.ts";
import { csvRow } from "../screen/csv.ts";
import { table } from "../screen/table.ts";
import type { Context } from "./context.ts";

/** A record as `factory records list` shows it. */
export type ListedRecord = RecordSummary;

/** What is shown: records, or groups of them. */
export interface Shown {
  records: readonly ListedRecord[];
  groups: readonly RecordGroup[] | null;
  total: number;
  offset: number;
}

type Cell = string | number | boolean | null;

/** The columns of CSV. */
const COLUMNS: Record<string, (record: ListedRecord) => Cell> = {
  record_id: ({ record_id }) => record_id,
  manifest_id: ({ manifest_id }) => manifest_id,
  cell_id: ({ cell_id }) => cell_id,
  platform: ({ platform }) => platform,
  status: ({ status }) => status,
  expected: ({ expected }) => expected,
  stage: ({ stage }) => stage,
  class: (record) => record.class,
  tested_at: ({ tested_at }) => tested_at,
  duration_ms: ({ duration_ms }) => duration_ms,
  template: ({ template }) => template,
  base: ({ base }) => base,
  fragments: ({ fragments }) =>
    Object.entries(fragments)
      .map(([name, version]) => `${name} ${version}`)
      .join("; "),
  ref: ({ ref }) => ref,
  digest: ({ digest }) => digest,
  manifest_digest: ({ manifest_digest }) => manifest_digest,
  size: ({ size }) => size,
};

const COUNTS = ["total", "pass", "fail", "error", "unexpected", "newest"] as const;

/** The columns of groups: the fields, then the counts. */
function groupRows(groups: readonly RecordGroup[]): { head: string[]; rows: Cell[][] } {
  const fields = Object.keys(groups[0]?.by ?? {});
  return {
    head: [...fields, ...COUNTS],
    rows: groups.map((group) => [
      ...fields.map((field) => group.by[field] ?? null),
      ...COUNTS.map((name) => group[name]),
    ]),
  };
}

function* lines(rows: Iterable<string>): Generator<string> {
  let before = "";
  for (const row of rows) {
    yield before + row;
    before = "\n";
  }
}

function* csvRows({ records, groups }: Shown): Generator<string> {
  const { head, rows } = groups
    ? groupRows(groups)
    : {
        head: Object.keys(COLUMNS),
        rows: records.map((record) => Object.values(COLUMNS).map((of) => of(record))),
      };
  yield csvRow(head);
  for (const row of rows) yield csvRow(row);
}

/** Records or groups as CSV, a head first. */
export function csvOf(shown: Shown): Iterable<string> {
  return lines(csvRows(shown));
}

/** One document per line. */
export function ndjsonOf({ records, groups }: Shown): Iterable<string> {
  return lines((groups ?? records).map((one: object) => visibleLines(JSON.stringify(one))));
}

function counted({ records, groups, total, offset }: Shown): string {
  const shown = (groups ?? records).length;
  const what = groups ? "group" : "record";
  if (shown === total) return `${total} ${what}${total === 1 ? "" : "s"}`;
  return `${shown} of ${total} ${what}s${offset > 0 ? `, from number ${offset + 1} on` : ""}`;
}

/** Records or groups for people. */
export function tableOf(shown: Shown, { color, columns }: Pick<Context, "color" | "columns">): string {
  const { green, red, yellow, dim } = color;
  if (shown.groups) {
    const { head, rows } = groupRows(shown.groups);
    const texts = rows.map((row) => row.map((cell) => visible(cell === null ? "–" : String(cell))));
    return [
      ...(texts.length > 0
        ? [
            table(
              head.map((name) => name.toUpperCase()),
              texts,
              columns,
            ),
          ]
        : []),
      dim(counted(shown)),
    ].join("\n");
  }
  const rows = shown.records.map((record) => [
    record.record_id,
    record.cell_id,
    record.status === "pass" && record.expected
      ? green("pass")
      : record.expected
        ? yellow(`${record.status} (expected)`)
        : red(record.status),
    record.class ?? record.stage,
    record.tested_at.slice(0, 16).replace("T", " "),
  ]);
  return [
    ...(rows.length > 0
      ? [table(["RECORD", "CELL", "STATUS", "CLASS", "TESTED AT (UTC)"], rows, columns)]
      : []),
    dim(counted(shown)),
  ].join("\n");
}
