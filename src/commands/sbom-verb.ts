import { Option } from "@commander-js/extra-typings";
import { imageName, outputPath, sbomWithFlag, type Verb, verb } from "./verb.ts";

export const sbomVerb: Verb = (act) =>
  verb("sbom", "write the SBOM of an image as CycloneDX or SPDX JSON", [
    "factory sbom debian:bookworm-slim -o sbom.cdx.json",
    "factory sbom debian:bookworm-slim --format spdx-2.3 -o sbom.spdx.json",
  ])
    .argument("<image>", "an image that the engine has", imageName)
    .option("-o, --output <file>", "where to write, or - for stdout", outputPath)
    .option("--platform <platform>", "the image's platform")
    .addOption(
      new Option("--format <format>", "CycloneDX 1.6, or the same as SPDX")
        .choices(["cyclonedx", "spdx-2.3", "spdx-3.0"])
        .default("cyclonedx" as const),
    )
    .addOption(sbomWithFlag())
    .action(
      act(async (context, image, options) => (await import("./sbom.ts")).sbom(context, image, options)),
    );
