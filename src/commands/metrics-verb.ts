import { manifestFlag, outputPath, repeated, type Verb, verb } from "./verb.ts";

export const metricsVerb: Verb = (act) =>
  verb("metrics", "what the records say in numbers, as Prometheus reads them", [
    "factory metrics",
    "factory metrics --manifest-id llm_factory --since 30d --json",
    "factory metrics --events events.ndjson -o /var/lib/node_exporter/factory.prom",
  ])
    .addOption(manifestFlag(": only its records"))
    .option("--since <moment>", "only records from then on: an ISO 8601 date or time, or how long ago")
    .option(
      "--events <file>",
      "the events of a run, for what was reused and leaves no record; - for stdin (repeatable)",
      repeated,
    )
    .option("-o, --output <path>", "write them to a file; - for stdout", outputPath)
    .action(act(async (context, options) => (await import("./metrics.ts")).metrics(context, options)));
