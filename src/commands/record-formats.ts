import { visible, visibleLines } from "../model/visible.ts";
import type { RecordGroup, RecordSummary } from "../records/list-request.ts";
import type { HeldPackage } from "../records/packages/package-test.ts";
import { csvRow } from "../screen/csv.ts";
import { table } from "../screen/table.ts";
import type { Context } from "./context.ts";

/** A record as `factory records list` shows it. */
export interface ListedRecord extends RecordSummary {
  /** The products of its manifest; missing unless packages were asked for. */
  products?: readonly string[];
}

/** What is shown: records, or groups of them. */
export interface Shown {
  records: readonly ListedRecord[];
  groups: readonly RecordGroup[] | null;
  total: number;
  offset: number;
  /** Whether packages were asked for. */
  asksPackages: boolean;
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

/** The columns of CSV where packages were asked for. */
const HELD: typeof COLUMNS = {
  packages: ({ packages = [] }) => packages.map(packageText).join("; "),
  brought_by: (record) => fragmentsText(record) ?? "",
  products: ({ products = [] }) => products.join("; "),
};

function packageText({ type, name, version, source }: HeldPackage): string {
  return `${type}:${name} ${version}${source ? ` (source ${source.name} ${source.version})` : ""}`;
}

/** The fragments that brought the packages; null if the SBOM says of none. */
function fragmentsText({ packages = [] }: ListedRecord): string | null {
  const all = new Set(packages.flatMap(({ fragment }) => fragment ?? []));
  return all.size === 0 ? null : [...all].join("; ");
}

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

function* csvRows({ records, groups, asksPackages }: Shown): Generator<string> {
  const columns = { ...COLUMNS, ...(asksPackages && HELD) };
  const { head, rows } = groups
    ? groupRows(groups)
    : {
        head: Object.keys(columns),
        rows: records.map((record) => Object.values(columns).map((of) => of(record))),
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

/** Which images hold what was asked for, where it is from, and where it went. */
function heldTable({ records }: Shown, columns: number | undefined): string[] {
  if (records.length === 0) return [];
  const rows = records.map((record) => [
    record.record_id,
    visible((record.packages ?? []).map(packageText).join(", ")),
    visible(fragmentsText(record) ?? "–"),
    visible(record.ref ?? "–"),
    (record.products ?? []).join(", ") || "–",
  ]);
  return [table(["RECORD", "PACKAGES", "BROUGHT BY", "TAG", "PRODUCTS"], rows, columns)];
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
  if (shown.asksPackages) return [...heldTable(shown, columns), dim(counted(shown))].join("\n");
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
