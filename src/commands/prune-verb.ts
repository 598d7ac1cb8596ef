import { InvalidArgumentError } from "@commander-js/extra-typings";
import { movingFlags, repeated, type Verb, verb } from "./verb.ts";

/** Reads a share: above 0, at most 1. @throws InvalidArgumentError */
function share(text: string): number {
  const number = Number(text);
  if (/^(0?\.\d{1,4}|1(\.0+)?)$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("It has to be a share, such as 0.5; 1 for everything.");
}

export const pruneVerb: Verb = (act) =>
  verb("prune", "delete images of pull requests and branches that are old enough; without --yes, say which", [
    "factory prune",
    "factory prune --product llm_factory --yes",
    "factory prune --max-share 0.9 --yes --json",
  ])
    .option("--product <id>", "only the repository of this product (repeatable)", repeated)
    .option("--max-share <share>", "refuse to delete more than this share of a repository's tags", share, 0.5)
    .option("--yes", "delete them")
    .addOption(movingFlags.wait())
    .action(act(async (context, options) => (await import("./prune.ts")).prune(context, options)));
