import { Option } from "@commander-js/extra-typings";
import { FORMAT_NAMES, PLAN_FORMATS } from "../plan/formats/formats.ts";
import type { PlanFormat } from "../plan/formats/format.ts";
import { manifestFlag, outputPath, planningFlags, type Verb, verb, wholeNumber } from "./verb.ts";

/** Formats that are written from shards always, and the limit of each. */
const LIMITS = Object.entries<PlanFormat>(PLAN_FORMATS).flatMap(([name, { maxJobs }]) =>
  maxJobs === undefined ? [] : [`default for ${name}: ${maxJobs}`],
);

export const planVerb: Verb = (act) =>
  verb("plan", "expand plans, or one manifest, to cells; everything if none is named", [
    "factory plan baseline_core_light",
    "factory plan --reuse --since origin/main",
    "factory plan baseline_core_light --format bake -o docker-bake.hcl",
    "factory plan --format github --max-jobs 256",
    "git diff --name-only origin/main... | factory plan --changed-files-from -",
  ])
    .argument("[plan-id]", "the plan")
    .addOption(manifestFlag(", by itself"))
    .addOption(planningFlags.filter())
    .addOption(planningFlags.reuse())
    .addOption(planningFlags.since())
    .addOption(planningFlags.changed())
    .addOption(planningFlags.locked())
    .addOption(
      new Option(
        "--format <format>",
        `what to write (default: table; json with --json): ${FORMAT_NAMES.map((name) => `${name} (${PLAN_FORMATS[name].description})`).join(", ")}`,
      ).choices(FORMAT_NAMES),
    )
    .addOption(
      new Option("--shards <n>", "split into this many shards, for `factory run --shard K/N`").argParser(
        wholeNumber(1),
      ),
    )
    .addOption(
      new Option("--max-jobs <n>", `one job per cell, but at most this many (${LIMITS.join(", ")})`)
        .argParser(wholeNumber(1))
        .conflicts("shards"),
    )
    .option(
      "-o, --output <file>",
      "where to write, or - for stdout; for several bake files, a folder",
      outputPath,
    )
    .action(
      act(async (context, planId, options) =>
        (await import("./plan.ts")).plan(context, { ...options, planId }),
      ),
    );
