import { imageName, planningFlags, repeated, type Verb, verb } from "./verb.ts";

export const verifyVerb: Verb = (act) =>
  verb("verify", "walk from an image to all that proves it, and say of each link whether it holds", [
    "factory verify registry.example/team/app:3.13",
    "factory verify registry.example/team/app@sha256:ff756290272b… --key cosign.pub",
    "factory verify registry.example/team/app:3.12 --past --policy release --json",
  ])
    .argument("<image>", "an image in a registry, by tag or digest", imageName)
    .option(
      "--key <key>",
      "a public key whose signatures count: a file, or what cosign takes (repeatable)",
      repeated,
    )
    .option(
      "--policy <id>",
      "the policy that it has to satisfy (default: that of the product whose repository it is in)",
    )
    .option("--past", "of an earlier state of the workspace: it need not be what would be built now")
    .addOption(planningFlags.locked())
    .action(
      act(async (context, image, options) => (await import("./verify.ts")).verify(context, image, options)),
    );
