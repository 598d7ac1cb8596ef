import { FactoryError } from "../errors.ts";
import { movingFlags, planningFlags, type Verb, verb } from "./verb.ts";

export const promoteVerb: Verb = (act) =>
  verb("promote", "move what is published to a channel of a product, by digest, under its policy", [
    "factory promote --product llm_factory --to stable --dry-run",
    "factory promote --product llm_factory --to stable",
  ])
    .option("--product <id>", "the product")
    .option("--to <channel>", "the channel")
    .addOption(planningFlags.locked())
    .addOption(movingFlags.dryRun())
    .addOption(movingFlags.wait())
    .action(
      act(async (context, { product, to, ...options }) => {
        if (product === undefined || to === undefined)
          throw new FactoryError("USAGE", "a promotion needs a product and a channel", {
            fix: "pass --product ID --to CHANNEL",
          });
        return (await import("./promote.ts")).promote(context, { product, to, ...options });
      }),
    );
