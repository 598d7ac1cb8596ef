import type { CommandTest, TextMatch } from "../../schemas/types.ts";
import { matchText } from "../match.ts";
import { couldNotRun, observed, outcomeOf } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Kind } from "./kind.ts";

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
  run: async (check, tools, timeoutMs) => {
    const { argv, exit_code, isolated = false } = check;
    const expected = `${argv.map((one) => quoted(one, 100)).join(" ")} exits with ${exit_code}`;
    // An empty entrypoint would make the engine run the next argument instead.
    if (!argv[0]) return couldNotRun(expected, "the program's name is empty");
    return tools.execute({ argv, isolated, timeoutMs }, (execution) => {
      if (execution.ended === "error") return couldNotRun(expected, execution.why);
      if (execution.ended === "not-started") return outcomeOf([observed(false, expected, execution.why)]);
      const { ended, exitCode, stdout, stderr } = execution;
      const output = [`stdout ${quoted(stdout, 100)}`, `stderr ${quoted(stderr, 250)}`];
      if (ended === "late")
        return outcomeOf([observed(false, expected, `did not end within ${timeoutMs / 1000} s`)], output);
      if (ended === "flood") return outcomeOf([observed(false, expected, "wrote more than 1 MiB")], output);
      if (ended === "out-of-memory") {
        const actual = `exited with ${exitCode}: it needed more than ${tools.limits.memory_mb} MiB of memory`;
        return outcomeOf([observed(false, expected, actual)], output);
      }
      const findings = [
        observed(exitCode === exit_code, expected, `exited with ${exitCode}`),
        ...matchText("stdout", check.stdout, stdout),
        ...matchText("stderr", check.stderr, stderr),
      ];
      return outcomeOf(findings, exitCode === exit_code ? [] : output);
    });
  },
};
