import { manifestFlag, needManifest, outputPath, planningFlags, repeated, type Verb, verb } from "./verb.ts";

export const resolveVerb: Verb = (act) =>
  verb("resolve", "the newest combination that is proven on every platform, or what is missing", [
    "factory resolve --manifest-id llm_factory",
    "factory resolve --manifest-id llm_factory --want 'light>=0.2' --platform all",
    "factory resolve --manifest-id llm_factory --want core=0.3.0 -o control_plane/plans/settle.yaml",
  ])
    .addOption(manifestFlag())
    .option("--want <fragment>", "a fragment's version or range, such as 'light>=0.2' (repeatable)", repeated)
    .option(
      "--platform <platform>",
      "linux/amd64 and the like, or all of the manifest's (repeatable)",
      repeated,
    )
    .option(
      "-o, --output <path>",
      "write the plan that would settle what is missing; - for stdout",
      outputPath,
    )
    .addOption(planningFlags.locked())
    .action(
      act(async (context, options) =>
        (await import("./resolve.ts")).resolveCombination(context, needManifest(options)),
      ),
    );
