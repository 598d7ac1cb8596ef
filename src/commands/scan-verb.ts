import { Option } from "@commander-js/extra-typings";
import { type Verb, verb } from "./verb.ts";

export const scanVerb: Verb = (act) =>
  verb("scan", "look for vulnerabilities in a proven image, and judge them by a policy", [
    "factory scan 20260131t120000000z-1a2b3c4d5e6f7890",
    "factory scan registry.example/team/app:3.13 --policy release --sarif scan.sarif",
    "factory scan 20260131t120000000z-1a2b3c4d5e6f7890 --scanner debian --push --json",
  ])
    .argument("<what>", "a record, or an image that a record proves")
    .option(
      "--policy <id>",
      "the policy that judges (default: that of the manifest's product, else the defaults)",
    )
    .addOption(
      new Option(
        "--scanner <name>",
        "what looks (default: trivy or grype if one is there, else debian)",
      ).choices(["trivy", "grype", "debian"]),
    )
    .option("--sarif <file>", "also write the findings as SARIF 2.1.0")
    .option("--push", "attach the report to the image in its registry")
    .action(act(async (context, what, options) => (await import("./scan.ts")).scan(context, what, options)));
