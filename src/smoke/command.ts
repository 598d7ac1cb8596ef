import type { CheckOf } from "../model/suite.ts";
import {
  boundCall,
  containerState,
  createContainer,
  neverRan,
  OUTPUT_BYTES,
  release,
  words,
} from "./containers.ts";
import type { SmokeContext } from "./suite-run.ts";
import { matchText } from "./match.ts";
import { couldNotRun, finding, outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { cut, quoted } from "./text.ts";

/**
 * Runs argv in a container of its own, without network. Output beyond 1 MiB fails the test and ends the command.
 * @param timeoutMs how long the command may take, from its start
 */
export async function testCommand(
  context: SmokeContext,
  check: CheckOf<"command">,
  timeoutMs: number,
): Promise<Outcome> {
  const { argv, exit_code } = check;
  const expected = `${argv.map((one) => quoted(one, 100)).join(" ")} exits with ${exit_code}`;
  const [program, ...rest] = argv;
  // An empty entrypoint would make the engine run the next argument instead.
  if (!program) return couldNotRun(expected, "the program's name is empty");
  const flags = ["--network=none", "--log-driver=none", `--entrypoint=${program}`];
  const created = await createContainer(context, flags, rest);
  if ("refused" in created) return couldNotRun(expected, created.refused);
  const { name } = created;
  try {
    const call = context.docker.run(["start", "--attach", name], {
      maxBytes: OUTPUT_BYTES,
    });
    const { result, timedOut } = await boundCall(context, call, { name, timeoutMs });
    const { stdout, stderr, exitCode } = result;
    const output = [`stdout ${quoted(stdout, 100)}`, `stderr ${quoted(stderr, 250)}`];
    if (timedOut)
      return outcomeOf([finding(false, expected, `was not done within ${timeoutMs / 1000} s`)], output);
    if (Math.max(stdout.length, stderr.length) >= OUTPUT_BYTES) {
      return outcomeOf([finding(false, expected, "wrote more than 1 MiB")], output);
    }
    if (exitCode === null) return couldNotRun(expected, words(result));
    if (exitCode !== 0) {
      const state = await containerState(context, name);
      const not = neverRan(state);
      if (not) return { status: not.status, expected: cut(expected), actual: cut(not.why) };
      if (state?.OOMKilled) {
        const actual = `exited with ${exitCode}: it needed more than ${context.limits.memory_mb} MiB of memory`;
        return outcomeOf([finding(false, expected, actual)], output);
      }
    }
    const findings = [
      finding(exitCode === exit_code, expected, `exited with ${exitCode}`),
      ...(await matchText("stdout", check.stdout, stdout)),
      ...(await matchText("stderr", check.stderr, stderr)),
    ];
    return outcomeOf(findings, exitCode === exit_code ? [] : output);
  } finally {
    release(context, name);
  }
}
