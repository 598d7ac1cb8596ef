import { Option } from "@commander-js/extra-typings";
import { repeated, type Verb, verb } from "./verb.ts";

export const lockVerb: Verb = (act) =>
  verb("lock", "resolve ranges and base images, and write the result to factory.lock", [
    "factory lock",
    "factory lock --update",
    "factory lock --check --json",
  ])
    .option("--manifest-id <id>", "only what this manifest and its plans need (repeatable)", repeated)
    .option("--update", "take the newest version or digest of everything, not only of what is missing")
    .addOption(
      new Option("--check", "write nothing; exit 1 if --update would change the lock").conflicts("update"),
    )
    .action(act(async (context, options) => (await import("./lock.ts")).lock(context, options)));
