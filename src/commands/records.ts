import { FactoryError } from "../errors.ts";
import { openRecordStore, type RecordStore } from "../records/store.ts";
import type { CommandResult, Context } from "./context.ts";
import { table } from "../screen/table.ts";

interface ListOptions {
  manifestId?: string;
  status?: string;
  since?: string;
  limit?: number;
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A moment as milliseconds since 1970: an ISO 8601 date or time, or how long ago, such as `90m`, `12h`, `7d`, `2w`. */
export function momentOf(text: string, now: number): number {
  const [, count, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  // A time without a zone is UTC, as in the list.
  const moment = time ? Date.parse(time[1] && !time[2] ? `${text}Z` : text) : Number.NaN;
  if (!Number.isNaN(moment)) return moment;
  throw new FactoryError("USAGE", `--since ${JSON.stringify(text)} is no moment`, {
    fix: "such as 2026-01-31, 2026-01-31T12:00:00Z, 12h or 7d",
  });
}

async function storeOf(context: Context): Promise<RecordStore> {
  return openRecordStore((await context.catalog()).root);
}

/** `factory records list`: the newest first. */
export async function recordsList(context: Context, options: ListOptions): Promise<CommandResult> {
  const { manifestId, status, limit } = options;
  const since = options.since === undefined ? undefined : momentOf(options.since, Date.now());
  const { records, total, unreadable } = await (
    await storeOf(context)
  ).list({ manifestId, status, since, limit });
  for (const { record_id, what } of unreadable) context.say(`warning: ${record_id}: ${what}`);
  const { green, red, yellow, dim } = context.color;
  const rows = records.map((record) => [
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
  const shown =
    records.length === total
      ? `${total} record${total === 1 ? "" : "s"}`
      : `${records.length} of ${total} records`;
  return {
    text: [
      ...(rows.length > 0
        ? [table(["RECORD", "CELL", "STATUS", "CLASS", "TESTED AT (UTC)"], rows, context.columns)]
        : []),
      dim(shown),
    ].join("\n"),
    json: { records, total, unreadable },
  };
}

/** `factory records show`: one record, whole. */
export async function recordsShow(context: Context, recordId: string): Promise<CommandResult> {
  const record = await (await storeOf(context)).get(recordId);
  return { text: JSON.stringify(record, null, 2), json: record };
}

/** `factory records verify`: whether all evidence still hashes to what the records say. */
export async function recordsVerify(context: Context, recordId: string | undefined): Promise<CommandResult> {
  const { checked, evidence, problems } = await (await storeOf(context)).verify(recordId);
  const { green, red } = context.color;
  const lines = problems.map(
    (problem) => `${red("differs")} ${problem.record_id} ${problem.evidence}: ${problem.what}`,
  );
  const counts = `${checked} record${checked === 1 ? "" : "s"}, ${evidence} pieces of evidence`;
  return {
    text: [
      ...lines,
      `${problems.length === 0 ? green("verified") : red(`${problems.length} problems`)}: ${counts}`,
    ].join("\n"),
    json: { checked, evidence, problems },
    exitCode: problems.length === 0 ? 0 : 1,
  };
}
