import { type Verb, verb } from "./verb.ts";

export const inspectVerb: Verb = (act) =>
  verb(
    "inspect",
    "show what each fragment brought into an image: layers, bytes, packages, what is there for nothing",
    [
      "factory inspect llm_factory.core-0.1.0.light-0.2.0.linux-amd64",
      "factory inspect 20260131t120000000z-1a2b3c4d5e6f7890",
      "factory inspect registry.example/team/app:3.13 --platform linux/arm64 --json",
    ],
  )
    .argument("<what>", "a record, a cell (its newest record, or with @COMMIT that of a commit), or an image")
    .option("--platform <platform>", "of an image that is there for several")
    .action(
      act(async (context, what, options) => (await import("./inspect.ts")).inspect(context, what, options)),
    );
