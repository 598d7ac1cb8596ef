import { type Verb, verb } from "./verb.ts";

export const reproduceVerb: Verb = (act) =>
  verb(
    "reproduce",
    "build the image of a record again from its recorded inputs, without cache, and compare the two; exit 1 if they differ",
    [
      "factory reproduce 20260131t120000000z-1a2b3c4d5e6f7890",
      "factory reproduce 20260131t120000000z-1a2b3c4d5e6f7890 --update   # newer packages alone are no difference",
      "factory reproduce 20260131t120000000z-1a2b3c4d5e6f7890 --json",
    ],
  )
    .argument("<record-id>")
    .option("--update", "count it as reproduced if only packages differ that have other versions by now")
    .option("--secrets", "hand the steps of the record the secrets that they ask for, as a run does")
    .addHelpText(
      "after",
      "\nExit codes: 0 reproduced, or the same content with other times; 1 different; 2 not possible, or evidence is gone",
    )
    .action(
      act(async (context, id, options) => (await import("./reproduce.ts")).reproduce(context, id, options)),
    );
