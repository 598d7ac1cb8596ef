import { outputPath, type Verb, verb } from "./verb.ts";

export const schemaVerb: Verb = (act) =>
  verb(
    "schema",
    "print the JSON Schema of a document, for editors and validators; without a name, list them",
    [
      "factory schema",
      "factory schema manifest -o .vscode/factory-manifest.schema.json",
      "factory schema record | jq .properties.result",
    ],
  )
    .argument("[name]", "manifest, fragment, template, plan, product, record and the like")
    .option("-o, --output <path>", "write it to a file; - for stdout", outputPath)
    .action(
      act(async (context, name, options) => (await import("./schema.ts")).schema(context, name, options)),
    );
