import type { ScriptTest } from "../../schemas/types.ts";
import { type Kind, scriptPlace } from "./kind.ts";
import { runProgram, type Wanted, wantedOf } from "./run-program.ts";

interface ScriptCheck extends Wanted {
  kind: "script";
  /** From the workspace's root. */
  path: string;
  /** Of its text. */
  sha256: string;
  interpreter: string[];
  args: string[];
}

/** Runs a text file of the workspace, mounted read-only, as `command` runs argv. */
export const script: Kind<ScriptTest, ScriptCheck> = {
  form: ({ path, interpreter = [], args = [], ...declared }, hashOf) => ({
    kind: "script",
    path,
    sha256: hashOf(path),
    interpreter,
    args,
    ...wantedOf(declared),
  }),
  matches: ["stdout", "stderr"],
  script: ({ path }) => path,
  run: (check, tools, timeoutMs) =>
    runProgram([...check.interpreter, scriptPlace(check.path), ...check.args], check, { tools, timeoutMs }),
};
