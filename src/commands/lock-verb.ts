import { Option } from "@commander-js/extra-typings";
import { repeated, type Verb, verb } from "./verb.ts";

export const lockVerb: Verb = (act) =>
  verb("lock", "write what ranges and base images stand for to factory.lock", [
    "factory lock",
    "factory lock --update",
    "factory lock --check --json",
  ])
    .option("--manifest-id <id>", "only what this manifest and its plans need (repeatable)", repeated)
    .option("--update", "take the newest versions and digests of all, not of what is missing alone")
    .addOption(
      new Option("--check", "write nothing; exit 1 where --update would write something else").conflicts(
        "update",
      ),
    )
    .action(act(async (context, options) => (await import("./lock.ts")).lock(context, options)));
