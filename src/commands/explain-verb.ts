import { FactoryError } from "../errors.ts";
import { planningFlags, type Verb, verb } from "./verb.ts";

export const explainVerb: Verb = (act) =>
  verb("explain", "say what will be done about a cell and why, or which tags of a product may be promoted", [
    "factory explain llm_factory.core-0.1.0.light-0.2.0.linux-amd64",
    "factory explain --product llm_factory",
  ])
    .argument("[cell-id]", "a cell of a plan or of a manifest")
    .option("--product <id>", "a product: what each of its channels asks for, and what its tags lack")
    .addOption(planningFlags.locked())
    .action(
      act(async (context, cellId, { product, locked }) => {
        if ((cellId === undefined) === (product === undefined))
          throw new FactoryError("USAGE", "one cell or one product is to be explained", {
            fix: "pass the id of a cell, or --product ID",
          });
        if (product !== undefined)
          return (await import("./explain-product.ts")).explainProduct(context, { product, locked });
        return (await import("./explain.ts")).explain(context, cellId ?? "", { locked });
      }),
    );
