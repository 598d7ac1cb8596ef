import { FactoryError } from "../errors.ts";
import { planningFlags, type Verb, verb } from "./verb.ts";

export const explainVerb: Verb = (act) =>
  verb(
    "explain",
    "say what will be done about a cell and why, which tags of a product may be promoted, or why cells fail",
    [
      "factory explain llm_factory.core-0.1.0.light-0.2.0.linux-amd64",
      "factory explain --product llm_factory",
      "factory explain --failures llm_factory",
      "factory explain --failures llm_factory --apply",
    ],
  )
    .argument("[cell-id]", "a cell of a plan or of a manifest")
    .option("--product <id>", "a product: what each of its channels asks for, and what its tags lack")
    .option(
      "--failures <manifest-id>",
      "a manifest: the smallest combinations of values that explain why its cells fail",
    )
    .option("--apply", "with --failures: write what fails for certain to `exclude` of the plans that have it")
    .addOption(planningFlags.locked())
    .action(
      act(async (context, cellId, { product, failures, apply, locked }) => {
        if ([cellId, product, failures].filter((one) => one !== undefined).length !== 1)
          throw new FactoryError("USAGE", "one cell, one product or one manifest is to be explained", {
            fix: "pass the id of a cell, --product ID, or --failures MANIFEST_ID",
          });
        if (apply && failures === undefined)
          throw new FactoryError("USAGE", "--apply goes with --failures", {
            fix: "pass --failures MANIFEST_ID",
          });
        if (failures !== undefined)
          return (await import("./explain-failures.ts")).explainFailures(context, {
            failures,
            apply,
            locked,
          });
        if (product !== undefined)
          return (await import("./explain-product.ts")).explainProduct(context, { product, locked });
        return (await import("./explain.ts")).explain(context, cellId ?? "", { locked });
      }),
    );
