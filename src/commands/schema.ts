import { resolve } from "node:path";
import { didYouMean } from "../catalog/suggest.ts";
import { FactoryError } from "../errors.ts";
import { writeOutput } from "../files/write-output.ts";
import { listed, quoted } from "../model/visible.ts";
import { DOCUMENTS, SCHEMAS } from "../schemas/published.ts";
import { wholeSchema } from "../schemas/whole-schema.ts";
import { table } from "../screen/table.ts";
import type { CommandResult, Context } from "./context.ts";

const NAMES = Object.keys(DOCUMENTS) as (keyof typeof DOCUMENTS)[];

/** `factory schema`: the JSON Schema of a document in one piece, or which there are. */
export async function schema(
  context: Context,
  name: string | undefined,
  { output }: { output?: string },
): Promise<CommandResult> {
  if (name === undefined) {
    if (output !== undefined)
      throw new FactoryError("USAGE", "it is not said which schema to write", {
        fix: `name one of: ${listed(NAMES)}`,
      });
    const schemas = NAMES.map((one) => ({ name: one, files: DOCUMENTS[one] }));
    const rows = schemas.map(({ name: one, files }) => [one, files]);
    return { text: table(["NAME", "FILES"], rows, context.columns), json: { schemas } };
  }
  const known = NAMES.find((one) => one === name);
  if (known === undefined) {
    const guess = didYouMean(name, NAMES);
    throw new FactoryError("USAGE", `there is no schema ${quoted(name)}`, {
      fix: guess ? `did you mean ${guess}?` : `there are: ${listed(NAMES)}`,
    });
  }
  const json = wholeSchema(`${known}.schema.json`, SCHEMAS);
  const text = `${JSON.stringify(json, null, 2)}\n`;
  if (output !== undefined && output !== "-") {
    await writeOutput(resolve(context.cwd, output), [text], context.signal);
    return { text: `written to ${output}`, json };
  }
  return { text, isContent: true, json };
}
