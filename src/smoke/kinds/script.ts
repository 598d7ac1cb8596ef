import type { ScriptTest, TextMatch } from "../../schemas/types.ts";
import { type Kind, scriptPlace } from "./kind.ts";
import { runProgram } from "./run-program.ts";

interface ScriptCheck {
  kind: "script";
  /** From the workspace's root. */
  path: string;
  /** Of its text. */
  sha256: string;
  interpreter: string[];
  args: string[];
  exit_code: number;
  stdout: TextMatch | null;
  stderr: TextMatch | null;
  isolated?: true;
}

/** Runs a text file of the workspace, mounted read-only, as `command` runs argv. */
export const script: Kind<ScriptTest, ScriptCheck> = {
  form: (
    { path, interpreter = [], args = [], exit_code = 0, stdout = null, stderr = null, isolated },
    hashOf,
  ) => ({
    kind: "script",
    path,
    sha256: hashOf(path),
    interpreter,
    args,
    exit_code,
    stdout,
    stderr,
    ...(isolated ? { isolated } : {}),
  }),
  matches: ["stdout", "stderr"],
  script: ({ path }) => path,
  run: (check, tools, timeoutMs) =>
    runProgram([...check.interpreter, scriptPlace(check.path), ...check.args], check, { tools, timeoutMs }),
};
