import { Option } from "@commander-js/extra-typings";
import { type Verb, verb } from "./verb.ts";

export const adoptVerb: Verb = (act) =>
  verb("adopt", "make a workspace of Dockerfiles that you have, and prove that it says the same", [
    "factory adopt Dockerfile",
    "factory adopt services/*/Dockerfile --out images",
    "factory adopt docker/api.Dockerfile --context . --prove layers",
  ])
    .argument("<dockerfile...>", "one Dockerfile or several")
    .addOption(new Option("--out <dir>", "the folder of the workspace").default("factory-workspace"))
    .option("--context <dir>", "the build context of all of them (default: the folder of each)")
    .addOption(
      new Option("--prove <what>", "what is compared; layers builds both, for which an engine is needed")
        .choices(["instructions", "layers"])
        .default("instructions" as const),
    )
    .action(
      act(async (context, dockerfiles, options) =>
        (await import("./adopt.ts")).adopt(context, dockerfiles, options),
      ),
    );
