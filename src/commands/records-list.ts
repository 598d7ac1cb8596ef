import { visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { type Field, FIELDS, type ListRequest } from "../records/listing.ts";
import { digestStart, fragmentOf, fragmentTest, momentOf, parseField } from "../records/parse-filter.ts";
import type { CommandResult, Context } from "./context.ts";
import { csvOf, ndjsonOf, type Shown, tableOf } from "./record-formats.ts";

/** Fields that few records have in common are not grouped by. */
const GROUPED = FIELDS.filter((field) => !["duration", "size", "time"].includes(field));

export interface ListOptions {
  manifestId?: string;
  cell?: string;
  platform?: string;
  status?: string;
  class?: string;
  digest?: string;
  fragment?: string[];
  since?: string;
  until?: string;
  sort?: string;
  reverse?: boolean;
  groupBy?: string;
  offset?: number;
  limit?: number;
  format?: "table" | "json" | "ndjson" | "csv";
}

/** What the flags ask for. @throws FactoryError USAGE */
async function requestOf(context: Context, options: ListOptions): Promise<ListRequest> {
  const { manifestId, cell, platform, status, offset, limit, reverse = false } = options;
  const catalog = await context.catalog();
  const compare = (field: Field) => {
    const name = fragmentOf(field);
    if (name === undefined) return undefined;
    const scheme = catalog.fragmentScheme(name);
    const isOne = scheme.isVersion;
    // Versions that the scheme does not know come before all others.
    return (a: string, b: string) =>
      isOne(a) && isOne(b) ? scheme.compare(a, b) : Number(isOne(a)) - Number(isOne(b)) || (a < b ? -1 : 1);
  };
  const by = options.sort === undefined ? undefined : parseField(options.sort, "--sort");
  const now = context.now();
  return {
    manifestId,
    cellId: cell,
    platform,
    status,
    class: options.class,
    digest: options.digest === undefined ? undefined : digestStart(options.digest),
    fragments: options.fragment?.map((text) => fragmentTest(text, catalog.fragmentScheme)),
    since: options.since === undefined ? undefined : momentOf(options.since, now, "--since"),
    until: options.until === undefined ? undefined : momentOf(options.until, now, "--until"),
    sort: by ? { by, reverse, compare: compare(by) } : reverse ? { by: "time", reverse: false } : undefined,
    groupBy: options.groupBy?.split(",").map((text) => parseField(text.trim(), "--group-by", GROUPED)),
    offset,
    limit,
  };
}

/** `factory records list`: records that match, newest first, or groups of them. */
export async function recordsList(context: Context, options: ListOptions): Promise<CommandResult> {
  const request = await requestOf(context, options);
  const store = openStore((await context.catalog()).root);
  const { records, groups, total, unreadable } = await store.list(request, {
    onNote: context.say,
    onProgress: (read, of) => {
      if (of >= MANY) context.say(`read ${read} of ${of} records for the index`);
    },
  });
  for (const { record_id, what } of unreadable)
    context.say(`warning: ${record_id === null ? "" : `${record_id}: `}${visible(what)}`);
  const { offset = 0, limit } = request;
  const shown: Shown = { records, groups, total, offset };
  const found = groups ? { groups } : { records };
  const json = { ...found, total, offset, limit: limit ?? null, unreadable };
  const { format } = options;
  if (format === "json") return { text: JSON.stringify(json, null, 2), isContent: true, json };
  if (format === "csv" || format === "ndjson") {
    const text = [...(format === "csv" ? csvOf(shown) : ndjsonOf(shown))].join("");
    return { text, isContent: true, json: context.json ? { [format]: text } : null };
  }
  return { text: tableOf(shown, context), json };
}

/** From this many records on, it is shown that they are read. */
const MANY = 5000;
