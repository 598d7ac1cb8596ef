import { outputPath, planningFlags, type Verb, verb } from "./verb.ts";

export const saveVerb: Verb = (act) =>
  verb("save", "write the proven image of a cell, with its record, to a file", [
    "factory save --cell llm_factory.core-0.1.0.light-0.2.0.linux-amd64 -o image.tar",
    "factory save --cell app.linux-arm64 --locked -o image.tar --json",
    "docker load < image.tar     # without Factory: the image alone, as localhost/factory-handover:CELL",
  ])
    .option("--cell <id>", "the cell: see `factory plan`")
    .option("-o, --output <file>", "where to write; a pipe or a device is written through", outputPath)
    .addOption(planningFlags.locked())
    .action(act(async (context, options) => (await import("./save.ts")).save(context, options)));
