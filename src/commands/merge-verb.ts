import { manifestFlag, movingFlags, planningFlags, type Verb, verb } from "./verb.ts";

export const mergeVerb: Verb = (act) =>
  verb("merge", "join the proven images of all platforms, by digest, under one tag", [
    "factory merge baseline_core_light",
    "factory merge --manifest-id llm_factory --dry-run",
  ])
    .argument("[plan-id]", "a plan (default: all plans)")
    .addOption(manifestFlag(" by itself, without a plan"))
    .option("--product <id>", "the plans of this product")
    .addOption(planningFlags.locked())
    .addOption(movingFlags.dryRun())
    .addOption(movingFlags.wait())
    .action(
      act(async (context, planId, options) =>
        (await import("./merge.ts")).merge(context, { ...options, planId }),
      ),
    );
