import { type Verb, verb } from "./verb.ts";

export const loadVerb: Verb = (act) =>
  verb(
    "load",
    "take the image and the record of a cell from a file of `factory save`, if the file proves it",
    [
      "factory load image.tar",
      "ssh build.example cat image.tar | factory load -",
      "factory load image.tar && factory run --manifest-id app --reuse --locked   # builds nothing",
    ],
  )
    .argument("<file>", "the file; - for stdin")
    .action(act(async (context, file) => (await import("./load.ts")).load(context, file)));
