import { type Verb, verb } from "./verb.ts";

export const validateVerb: Verb = (act) =>
  verb("validate", "show every finding of the workspace at once", [
    "factory validate",
    "factory validate --workspace ../images --json",
  ]).action(act(async (context) => (await import("./validate.ts")).validate(context)));
