import { basename } from "node:path";
import type { CommandResult, Context } from "./commands/context.ts";
import { FactoryError } from "./errors.ts";
import { errorFor, guardStreams, interruption, workingFolder } from "./exits.ts";
import type { GlobalOptions } from "./program.ts";
import { createMask } from "./model/mask.ts";
import { visibleLines } from "./model/visible.ts";
import { paletteOf, printable, takesColor } from "./screen/palette.ts";
import { version } from "./version.ts";

/** What the docker CLI asks a plugin, so that `docker factory …` works. */
const PLUGIN_METADATA = {
  SchemaVersion: "0.1.0",
  Vendor: "Factory",
  Version: version,
  ShortDescription: "A production line for container images",
};

/** The arguments after the program's name, and after the plugin's name if docker's CLI called it as a plugin. */
function argumentsOf(argv: readonly string[]): string[] {
  const rest = argv.slice(2);
  return basename(argv[1] ?? "").startsWith("docker-factory") && rest[0] === "factory" ? rest.slice(1) : rest;
}

/** Writes a result to stdout, and gives the process its exit code. */
function print(
  { text, json, jsonPieces, isContent = false, exitCode = 0 }: CommandResult,
  { asJson, colored }: { asJson: boolean; colored: boolean },
): void {
  process.exitCode = exitCode;
  const { stdout } = process;
  if (asJson) {
    for (const piece of jsonPieces?.() ?? [JSON.stringify(json, null, 2)]) stdout.write(visibleLines(piece));
    stdout.write("\n");
    return;
  }
  // A pipe or a file gets the exact bytes of a file's content; on a terminal it is made safe to show.
  const asIs = isContent && stdout.isTTY !== true;
  const show = (piece: string) => (asIs ? piece : printable(piece, colored));
  if (typeof text === "string") {
    if (text !== "") stdout.write(`${show(text)}\n`);
    return;
  }
  for (const piece of text) stdout.write(show(piece));
  stdout.write("\n");
}

/** Ends the process when its output is written: an engine or a registry that never answers holds it up no longer. */
function endSoon(): void {
  setTimeout(() => process.exit(), 500).unref();
}

/**
 * Runs one command line and sets the process's exit code.
 * @param argv as `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const args = argumentsOf(argv);
  guardStreams();
  if (args[0] === "docker-cli-plugin-metadata") {
    process.stdout.write(`${JSON.stringify(PLUGIN_METADATA)}\n`);
    return;
  }
  const [{ createProgram, usageError }, { CommanderError }, { createContext }, { errorJson, errorText }] =
    await Promise.all([
      import("./program.ts"),
      import("@commander-js/extra-typings"),
      import("./surroundings.ts"),
      import("./screen/findings.ts"),
    ]);

  // Nothing after `--` is an option. Even an error in the command line itself is shown as --json or --no-color ask.
  const ours = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const asJson = ours.includes("--json");
  const wantsColor = !ours.includes("--no-color");
  const stdoutColor = takesColor(process.stdout, process.env, wantsColor);
  const stderrColor = takesColor(process.stderr, process.env, wantsColor);
  let signal: AbortSignal | undefined;
  const mask = createMask();
  /** Reports anything that was thrown, except commander's end after a help that was asked for. */
  const report = (thrown: unknown): void => {
    // After an interruption, other errors are its consequences.
    const error = signal?.aborted
      ? new FactoryError("INTERRUPTED", "interrupted")
      : thrown instanceof CommanderError
        ? usageError(thrown)
        : errorFor(thrown);
    if (error === null) return;
    process.exitCode = error.exitCode;
    if (asJson) process.stdout.write(`${visibleLines(mask(JSON.stringify(errorJson(error), null, 2)))}\n`);
    else process.stderr.write(`${printable(mask(errorText(error, paletteOf(stderrColor))), stderrColor)}\n`);
  };
  process.on("uncaughtException", (error) => {
    report(error);
    process.exit();
  });

  const contextOf = (options: GlobalOptions): Context =>
    createContext(options, {
      cwd: workingFolder(),
      env: process.env,
      color: paletteOf(stdoutColor),
      stderrColor,
      columns: process.stdout.isTTY === true ? process.stdout.columns : undefined,
      say: (text) => void process.stderr.write(`${visibleLines(mask(text))}\n`),
      mask,
      signal: () => (signal ??= interruption()),
    });
  try {
    const program = createProgram(contextOf, (result) => {
      print(result, { asJson, colored: stdoutColor });
      if (result.abandons) endSoon();
    });
    await program.parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
  } catch (thrown) {
    report(thrown);
    // Everything is cleaned up by now.
    if (signal?.aborted) endSoon();
  }
}
