import { type Verb, verb } from "./verb.ts";

export const doctorVerb: Verb = (act) =>
  verb("doctor", "say what works here, what does not, and what mends it", [
    "factory doctor",
    "factory doctor --fix",
    "factory doctor --json",
  ])
    .option("--fix", "do what is safe: clear away what killed runs left")
    .action(act(async (context, options) => (await import("./doctor.ts")).doctor(context, options)));
