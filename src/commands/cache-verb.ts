import { type Act, type Verb, verb, wholeNumber } from "./verb.ts";

const list = (act: Act) =>
  verb("list", "list what the cache holds, and what of it is used", ["factory cache list --json"]).action(
    act(async (context) => (await import("./cache.ts")).cacheList(context)),
  );

const prune = (act: Act) =>
  verb("prune", "delete what the cache no longer needs; without --yes, say what that is", [
    "factory cache prune --keep 3",
    "factory cache prune --older-than 30d --keep 1 --yes",
    "factory cache prune --max-size 50GB --yes",
  ])
    .option(
      "--keep <n>",
      "how many of each fragment on each platform stay, whatever else is said",
      wholeNumber(0),
    )
    .option("--older-than <age>", "what was made longer ago goes: 12h, 30d, 8w")
    .option("--max-size <size>", "the oldest go until the others fit: 500MB, 50GB")
    .option("--used", "also what plans of the workspace use now")
    .option("--yes", "delete it")
    .action(act(async (context, options) => (await import("./cache.ts")).cachePrune(context, options)));

export const cacheVerb: Verb = (act) =>
  verb("cache", "see and clean the build cache in a registry", ["factory cache list"])
    .addCommand(list(act))
    .addCommand(prune(act));
