import { manifestFlag, needManifest, outputPath, repeated, type Verb, verb } from "./verb.ts";

export const stitchVerb: Verb = (act) =>
  verb("stitch", "render a manifest to a Dockerfile", [
    "factory stitch --manifest-id llm_factory",
    "factory stitch --manifest-id llm_factory --set core=0.3.0 --arg port=9090 -o -",
    "factory stitch --manifest-id llm_factory -o Dockerfile --check",
  ])
    .addOption(manifestFlag(" (required)"))
    .option("--set <fragment=version>", "another version or range of a fragment (repeatable)", repeated)
    .option(
      "--arg <name=value>",
      "another value of an argument; a list or map as JSON (repeatable)",
      repeated,
    )
    .option(
      "-o, --output <file>",
      "where to write, or - for stdout (default: .factory/stitch/ID/Dockerfile)",
      outputPath,
    )
    .option("--check", "write nothing; exit 1 if the file differs")
    .action(
      act(async (context, options) => (await import("./stitch.ts")).stitch(context, needManifest(options))),
    );
