import { type Verb, verb } from "./verb.ts";

export const initVerb: Verb = (act) =>
  verb("init", "make a small workspace that runs at once", ["factory init", "factory init images"])
    .argument("[dir]", "the folder; files that are there already are kept", ".")
    .action(act(async (context, dir) => (await import("./init.ts")).init(context, dir)));
