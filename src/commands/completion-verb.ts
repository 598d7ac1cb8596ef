import { Command } from "@commander-js/extra-typings";
import { type Verb, verb } from "./verb.ts";

export const completionVerb: Verb = (act) =>
  verb("completion", "print a shell's completion script", ["source <(factory completion bash)"])
    .argument("<shell>", "bash, zsh or fish")
    .action(act(async (_, shell) => (await import("./completion.ts")).completion(shell)));

/** What the completion scripts call; no help lists it. */
export const completeVerb: Verb = (act, root) =>
  new Command("__complete")
    .argument("[words...]")
    .allowUnknownOption()
    .action(act(async (context, words) => (await import("./completion.ts")).complete(context, root, words)));
