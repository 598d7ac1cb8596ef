import { imageName, manifestFlag, needManifest, type Verb, verb } from "./verb.ts";

export const smokeVerb: Verb = (act) =>
  verb("smoke", "run a manifest's smoke tests against an image", [
    "factory smoke my/image:tag --manifest-id llm_factory",
  ])
    .argument("<image>", "an image that the engine has", imageName)
    .addOption(manifestFlag(" (required)"))
    .option("--platform <platform>", "the image's platform")
    .action(
      act(async (context, image, options) =>
        (await import("./smoke.ts")).smoke(context, image, needManifest(options)),
      ),
    );
