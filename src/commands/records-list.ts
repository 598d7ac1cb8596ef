import { grouped } from "../model/count.ts";
import { visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { type Field, FIELDS, fragmentOf, type ListRequest } from "../records/list-request.ts";
import { packageTest } from "../records/packages/package-test.ts";
import { digestStart, fragmentTest, momentOf, parseField } from "../records/parse-filter.ts";
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
  package?: string[];
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
    packages: options.package?.map(packageTest),
    since: options.since === undefined ? undefined : momentOf(options.since, now, "--since"),
    until: options.until === undefined ? undefined : momentOf(options.until, now, "--until"),
    sort: by ? { by, reverse, compare: compare(by) } : reverse ? { by: "time", reverse: false } : undefined,
    groupBy: options.groupBy?.split(",").map((text) => parseField(text.trim(), "--group-by", GROUPED)),
    offset,
    limit,
  };
}

/** The products of a manifest, as the workspace declares them today. */
async function productNames(context: Context): Promise<(manifestId: string) => string[]> {
  const catalog = await context.catalog();
  const products = catalog.productIds().map((id) => catalog.product(id).document);
  return (manifestId) =>
    products.flatMap(({ product_id, manifest_id }) => (manifest_id === manifestId ? [product_id] : []));
}

/** `factory records list`: records that match, newest first, or groups of them. */
export async function recordsList(context: Context, options: ListOptions): Promise<CommandResult> {
  const request = await requestOf(context, options);
  const store = openStore((await context.catalog()).root);
  const { records, groups, total, unreadable, doubts } = await store.list(request, {
    onNote: context.say,
    onProgress: (read, of) => {
      if (of >= MANY) context.say(`read ${read} of ${of} records for the index`);
    },
  });
  for (const { record_id, what } of unreadable)
    context.say(`warning: ${record_id === null ? "" : `${record_id}: `}${visible(what)}`);
  for (const [why, count] of Object.entries(doubts))
    context.say(
      `warning: of ${grouped(count)} ${count === 1 ? "record" : "records"} it is not known whether it is meant: ${visible(why)}`,
    );
  const { offset = 0, limit } = request;
  const productsOf = request.packages ? await productNames(context) : undefined;
  const listed = productsOf
    ? records.map((record) => ({ ...record, products: productsOf(record.manifest_id) }))
    : records;
  const shown: Shown = { records: listed, groups, total, offset, asksPackages: productsOf !== undefined };
  const found = groups ? { groups } : { records: listed };
  const json = {
    ...found,
    total,
    offset,
    limit: limit ?? null,
    unreadable,
    ...(request.packages && { doubts }),
  };
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
