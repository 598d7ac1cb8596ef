import { Option } from "@commander-js/extra-typings";
import { outputPath, type Verb, verb } from "./verb.ts";

export const diffVerb: Verb = (act) =>
  verb("diff", "show what changed between two records, cells or images", [
    "factory diff llm_factory.core-0.1.0.linux-amd64 llm_factory.core-0.2.0.linux-amd64",
    "factory diff llm_factory.linux-amd64@main~1 llm_factory.linux-amd64@main",
    "factory diff 20260131t120000000z-1a2b3c4d5e6f7890 registry.example/team/app:3.13 --format markdown",
    "factory diff registry.example/team/app:3.12 registry.example/team/app:3.13 --format html -o diff.html",
  ])
    .argument("<a>", "a record, a cell (its newest record, or with @COMMIT that of a commit), or an image")
    .argument("<b>", "the same, later")
    .option("--platform <platform>", "of images that are there for several")
    .addOption(
      new Option("--format <format>", "what to write (default: text; json with --json)").choices([
        "text",
        "json",
        "markdown",
        "html",
      ]),
    )
    .option("-o, --output <file>", "where to write, or - for stdout", outputPath)
    .action(
      act(async (context, a, b, options) => (await import("./diff.ts")).diff(context, { a, b }, options)),
    );
