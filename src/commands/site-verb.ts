import { outputPath, type Verb, verb, wholeNumber } from "./verb.ts";

export const siteVerb: Verb = (act) =>
  verb("site", "a site to browse records: health, matrix, logs, packages, differences", [
    "factory site -o site",
    "factory site --serve",
    "factory site --records-only -o /var/www/factory",
  ])
    .option(
      "-o, --output <dir>",
      "the folder to write; it may be opened from there or served by any web server",
      outputPath,
    )
    .option(
      "--serve",
      "serve it on 127.0.0.1 in place of writing it, and reload its pages as records are added",
    )
    .option(
      "--port <port>",
      "with --serve: the port; 0 takes any that is free (default: 4780)",
      wholeNumber(0),
    )
    .option("--locked", "take versions and base digests from factory.lock")
    .option("--records-only", "states by the newest verdicts alone: neither plans nor a builder are asked")
    .action(act(async (context, options) => (await import("./site.ts")).site(context, options)));
