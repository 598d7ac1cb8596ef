import { Option } from "@commander-js/extra-typings";
import { planningFlags, type Verb, verb } from "./verb.ts";

export const tagsVerb: Verb = (act) =>
  verb("tags", "say which public tags products have, from their cells, git and the CI event", [
    "factory tags",
    "factory tags --product llm_factory --json",
    "factory tags --event event.json",
    "factory tags --format bake > tags.hcl",
  ])
    .option("--product <id>", "only this product")
    .option("--event <file>", "why the CI job runs, as JSON; - for stdin (default: what the CI system says)")
    .addOption(planningFlags.locked())
    .addOption(
      new Option(
        "--format <format>",
        "what to write (default: text; json with --json): text (one tag a line), json, bake (tags for the targets of `factory plan --format bake`)",
      ).choices(["text", "json", "bake"]),
    )
    .action(act(async (context, options) => (await import("./tags.ts")).tags(context, options)));
