import { resolve } from "node:path";
import { Registry } from "prom-client";
import { FactoryError } from "../errors.ts";
import { inputStream } from "../files/input-stream.ts";
import { writeOutput } from "../files/write-output.ts";
import { readEvents } from "../telemetry/read-events.ts";
import { recordMetrics } from "../telemetry/record-metrics.ts";
import { runMetrics } from "../telemetry/run-metrics.ts";
import { quoted, visible } from "../model/visible.ts";
import { openStore } from "../pipeline/open-store.ts";
import { momentOf } from "../records/parse-filter.ts";
import type { CommandResult, Context } from "./context.ts";

interface MetricsOptions {
  manifestId?: string;
  since?: string;
  events?: string[];
  output?: string;
}

/** From this many records on, it is shown that they are read. */
const MANY = 2000;

/** `factory metrics`: what records, and the events of runs, say in numbers. */
export async function metrics(context: Context, options: MetricsOptions): Promise<CommandResult> {
  const { manifestId, since, events = [], output } = options;
  const catalog = await context.catalog();
  if (manifestId !== undefined) catalog.manifest(manifestId);
  if (events.filter((file) => file === "-" || file === "/dev/stdin").length > 1)
    throw new FactoryError("USAGE", "stdin can be read once", { fix: "name - for one --events only" });
  const store = openStore(catalog.root);
  const registry = new Registry();
  const ofRecords = recordMetrics(registry);
  const list = await store.list(
    { manifestId, since: since === undefined ? undefined : momentOf(since, context.now(), "--since") },
    { onNote: context.say },
  );
  /** A record; null, and a line for people, where it cannot be read any more. */
  const recordAt = async (id: string) => {
    try {
      return await store.get(id);
    } catch (error) {
      if (!(error instanceof FactoryError) || error.exitCode !== 2) throw error;
      context.say(`warning: ${error.message}`);
      return null;
    }
  };
  let unreadable = list.unreadable.length;
  const spent = new Map<string, number>();
  for (const [at, { record_id, duration_ms }] of list.records.entries()) {
    context.signal.throwIfAborted();
    if (at > 0 && at % MANY === 0) context.say(`read ${at} of ${list.records.length} records`);
    spent.set(record_id, duration_ms);
    const record = await recordAt(record_id);
    if (record) ofRecords.take(record);
    else unreadable++;
  }
  for (const { record_id, what } of list.unreadable)
    context.say(`warning: ${record_id === null ? "" : `${record_id}: `}${visible(what)}`);
  ofRecords.end(unreadable);

  if (events.length > 0) {
    const ofRuns = runMetrics(registry, async (id) => {
      const known = spent.get(id) ?? (await recordAt(id))?.result.duration_ms ?? null;
      if (known !== null) spent.set(id, known);
      return known;
    });
    for (const file of events) {
      const stream = inputStream(file, context.cwd, {
        fix: "name a file that `factory run --events FILE` wrote",
        signal: context.signal,
      });
      let bad = 0;
      for await (const event of readEvents(stream, file, () => bad++)) await ofRuns.take(event);
      if (bad > 0)
        context.say(`warning: ${bad} ${bad === 1 ? "line" : "lines"} of ${quoted(file)} are no events`);
    }
  }

  const text = await registry.metrics();
  const found = await registry.getMetricsAsJSON();
  const json = {
    metrics: found.map(({ name, type, help, values }) => ({
      name,
      type,
      help,
      samples: values.map((sample) => ({
        // Those of a histogram: its buckets, its sum, its count.
        name: ("metricName" in sample ? sample.metricName : undefined) ?? name,
        labels: sample.labels,
        value: sample.value,
      })),
    })),
  };
  if (output !== undefined && output !== "-") {
    const path = resolve(context.cwd, output);
    await writeOutput(path, [text], context.signal);
    return { text: `written to ${output}`, json: { ...json, path } };
  }
  return { text, isContent: true, json };
}
