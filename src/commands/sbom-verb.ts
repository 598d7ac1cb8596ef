import { imageName, outputPath, sbomWithFlag, type Verb, verb } from "./verb.ts";

export const sbomVerb: Verb = (act) =>
  verb("sbom", "write the SBOM of an image as CycloneDX JSON", [
    "factory sbom debian:bookworm-slim -o sbom.cdx.json",
  ])
    .argument("<image>", "an image that the engine has", imageName)
    .option("-o, --output <file>", "where to write, or - for stdout", outputPath)
    .option("--platform <platform>", "the image's platform")
    .addOption(sbomWithFlag())
    .action(
      act(async (context, image, options) => (await import("./sbom.ts")).sbom(context, image, options)),
    );
