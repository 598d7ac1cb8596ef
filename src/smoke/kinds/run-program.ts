import type { CommandTest, TextMatch } from "../../schemas/types.ts";
import { matchText } from "../match.ts";
import { couldNotRun, observed, outcomeOf } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Tools } from "./kind.ts";

/** What a program has to come to, with every default written out. */
export interface Wanted {
  exit_code: number;
  stdout: TextMatch | null;
  stderr: TextMatch | null;
  /** Only there where it is true: suites from before there was the word keep their hash. */
  isolated?: true;
}

/** What a declared program has to come to. */
export function wantedOf(
  declared: Pick<CommandTest, "exit_code" | "stdout" | "stderr" | "isolated">,
): Wanted {
  const { exit_code = 0, stdout, stderr, isolated } = declared;
  return {
    exit_code,
    stdout: stdout ?? null,
    stderr: stderr ?? null,
    ...(isolated ? { isolated } : {}),
  };
}

/** Runs a program of the image, and compares how it ended and what it wrote. */
export async function runProgram(
  argv: readonly string[],
  { exit_code, stdout: wantedOut, stderr: wantedErr, isolated }: Wanted,
  { tools, timeoutMs }: { tools: Tools; timeoutMs: number },
): Promise<Outcome> {
  const expected = `${argv.map((one) => quoted(one, 100)).join(" ")} exits with ${exit_code}`;
  // An empty entrypoint would make the engine run the next argument instead.
  if (!argv[0]) return couldNotRun(expected, "the program's name is empty");
  return tools.execute({ argv, isolated: isolated ?? false, timeoutMs }, (execution) => {
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
      ...matchText("stdout", wantedOut, stdout),
      ...matchText("stderr", wantedErr, stderr),
    ];
    return outcomeOf(findings, exitCode === exit_code ? [] : output);
  });
}
