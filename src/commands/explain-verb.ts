import { planningFlags, type Verb, verb } from "./verb.ts";

export const explainVerb: Verb = (act) =>
  verb("explain", "say what will be done about a cell, why, and what has changed", [
    "factory explain llm_factory.core-0.1.0.light-0.2.0.linux-amd64",
  ])
    .argument("<cell-id>", "a cell of a plan or of a manifest")
    .addOption(planningFlags.locked())
    .action(
      act(async (context, cellId, options) =>
        (await import("./explain.ts")).explain(context, cellId, options),
      ),
    );
