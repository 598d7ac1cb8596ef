import type { CommandTest, TextMatch } from "../../schemas/types.ts";
import type { Kind } from "./kind.ts";
import { runProgram } from "./run-program.ts";

interface CommandCheck {
  kind: "command";
  argv: string[];
  exit_code: number;
  stdout: TextMatch | null;
  stderr: TextMatch | null;
  /** Only there where it is true: suites from before there was the word keep their hash. */
  isolated?: true;
}

/** Runs argv without a shell and without network. Output beyond 1 MiB fails the test and ends the command. */
export const command: Kind<CommandTest, CommandCheck> = {
  form: ({ argv, exit_code = 0, stdout = null, stderr = null, isolated }) => ({
    kind: "command",
    argv,
    exit_code,
    stdout,
    stderr,
    ...(isolated ? { isolated } : {}),
  }),
  matches: ["stdout", "stderr"],
  inTurn: ({ isolated }, mayShare) => (mayShare && !isolated ? "commands" : undefined),
  run: (check, tools, timeoutMs) => runProgram(check.argv, check, { tools, timeoutMs }),
};
