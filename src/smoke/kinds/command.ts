import type { CommandTest } from "../../schemas/types.ts";
import type { Kind } from "./kind.ts";
import { runProgram, type Wanted, wantedOf } from "./run-program.ts";

interface CommandCheck extends Wanted {
  kind: "command";
  argv: string[];
}

/** Runs argv without a shell and without network. Output beyond 1 MiB fails the test and ends the command. */
export const command: Kind<CommandTest, CommandCheck> = {
  form: ({ argv, ...declared }) => ({ kind: "command", argv, ...wantedOf(declared) }),
  matches: ["stdout", "stderr"],
  inTurn: ({ isolated }, mayShare) => (mayShare && !isolated ? "commands" : undefined),
  run: (check, tools, timeoutMs) => runProgram(check.argv, check, { tools, timeoutMs }),
};
