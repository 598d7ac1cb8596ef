import { Option } from "@commander-js/extra-typings";
import { manifestFlag, planningFlags, repeated, sbomWithFlag, type Verb, verb, wholeNumber } from "./verb.ts";

export const runVerb: Verb = (act) =>
  verb("run", "build, smoke-test, inventory and record cells", [
    "factory run --manifest-id llm_factory",
    "factory run --plan baseline_core_light --jobs 4",
    "factory run --all --reuse --since origin/main --shard 3/16",
    "factory run --plan baseline_core_light --cell llm_factory.core-0.1.0.light-0.2.0.linux-amd64 --push",
  ])
    .addOption(manifestFlag().conflicts("plan"))
    .option("--plan <id>", "the plan")
    .addOption(
      new Option("--all", "every plan of the workspace, and every manifest without one").conflicts([
        "plan",
        "manifestId",
      ]),
    )
    .addOption(planningFlags.filter())
    .option("--cell <id>", "only this cell (repeatable)", repeated)
    .addOption(planningFlags.reuse())
    .addOption(planningFlags.since())
    .addOption(
      new Option("--shard <k/n>", "only the cells of this shard, as `factory plan` numbers them").conflicts(
        "cell",
      ),
    )
    .addOption(planningFlags.locked())
    .option(
      "--platform <platform>",
      "only this platform; `all` insists on all of them (default: those that the engine can build)",
    )
    .option("--jobs <n>", "cells at once (default: four per processor, 16 at most)", wholeNumber(1))
    .option("--push", "push what passed")
    .option("--events <file>", "write events to FILE as they happen, one JSON document per line")
    .option("--force", "build even what is proven, whatever --reuse finds")
    .addOption(sbomWithFlag())
    .action(act(async (context, options) => (await import("./run.ts")).run(context, options)));
