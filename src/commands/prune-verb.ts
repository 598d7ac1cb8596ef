import { movingFlags, repeated, shareFlag, type Verb, verb } from "./verb.ts";

export const pruneVerb: Verb = (act) =>
  verb("prune", "delete images of pull requests and branches that are old enough; without --yes, say which", [
    "factory prune",
    "factory prune --product llm_factory --yes",
    "factory prune --max-share 0.9 --yes --json",
  ])
    .option("--product <id>", "only the repository of this product (repeatable)", repeated)
    .addOption(shareFlag("refuse to delete more than this share of a repository's tags"))
    .option("--yes", "delete them")
    .addOption(movingFlags.wait())
    .action(act(async (context, options) => (await import("./prune.ts")).prune(context, options)));
