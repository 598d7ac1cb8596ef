import { movingFlags, planningFlags, type Verb, verb } from "./verb.ts";

export const publishVerb: Verb = (act) =>
  verb("publish", "give what records prove its public tags, by digest; nothing is built", [
    "factory publish --product llm_factory --dry-run",
    "factory publish --product llm_factory",
    "factory publish --event event.json --wait 300 --json",
  ])
    .option("--product <id>", "only this product")
    .option("--event <file>", "why the CI job runs, as JSON; - for stdin (default: what the CI system says)")
    .option("--older", "also move tags back that name what was proven at a later commit")
    .addOption(planningFlags.locked())
    .addOption(movingFlags.dryRun())
    .addOption(movingFlags.wait())
    .action(act(async (context, options) => (await import("./publish.ts")).publish(context, options)));
