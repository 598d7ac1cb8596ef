import { setMaxListeners } from "node:events";
import { basename } from "node:path";
import type { CommandResult, Context, Palette } from "./commands/context.ts";
import { FactoryError } from "./errors.ts";
import type { GlobalOptions } from "./program.ts";
import { version } from "./version.ts";

/** What the docker CLI asks of a plugin, so that `docker factory …` works. */
const PLUGIN_METADATA = {
  SchemaVersion: "0.1.0",
  Vendor: "Factory",
  Version: version,
  ShortDescription: "A production line for container images",
};

/** The arguments after the program's name; called as a docker CLI plugin, without the plugin's own name. */
function argumentsOf(argv: readonly string[]): string[] {
  const rest = argv.slice(2);
  return basename(argv[1] ?? "").startsWith("docker-factory") && rest[0] === "factory" ? rest.slice(1) : rest;
}

/** Whether a stream takes colours: a terminal, unless $NO_COLOR, $TERM=dumb or --no-color; $FORCE_COLOR insists. */
function takesColor(stream: NodeJS.WriteStream, wanted: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (!wanted || (NO_COLOR !== undefined && NO_COLOR !== "")) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && TERM !== "dumb";
}

function paletteOf(on: boolean): Palette {
  const paint = (open: number, close: number) =>
    on ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text;
  return {
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
    dim: paint(2, 22),
    bold: paint(1, 22),
  };
}

/** Ends quietly when the reader of a pipe has gone, as `head` does. */
function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}

/** Fires at the first SIGINT or SIGTERM; a second one ends the process at once. */
function signalOf(): AbortSignal {
  const controller = new AbortController();
  // Every cell and every program that runs listens to it.
  setMaxListeners(0, controller.signal);
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write("\ninterrupted: ending containers and builds (again to end at once)\n");
      controller.abort();
    });
  }
  return controller.signal;
}

/**
 * Runs one command line and sets the process's exit code.
 * @param argv as `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const args = argumentsOf(argv);
  if (args[0] === "docker-cli-plugin-metadata") {
    process.stdout.write(`${JSON.stringify(PLUGIN_METADATA)}\n`);
    return;
  }
  tolerateClosedPipes();
  const [{ createProgram, usageError }, { CommanderError }, { createContext }, { errorJson, errorText }] =
    await Promise.all([
      import("./program.ts"),
      import("@commander-js/extra-typings"),
      import("./surroundings.ts"),
      import("./commands/present.ts"),
    ]);

  let signal: AbortSignal | undefined;
  const contextOf = (options: GlobalOptions): Context =>
    createContext(options, {
      cwd: process.cwd(),
      env: process.env,
      color: paletteOf(takesColor(process.stdout, options.color !== false)),
      stderrColor: takesColor(process.stderr, options.color !== false),
      columns: process.stdout.isTTY === true ? process.stdout.columns : undefined,
      say: (text) => void process.stderr.write(`${text}\n`),
      signal: () => (signal ??= signalOf()),
    });
  // What stands after `--` is never an option; an unreadable command line still gets its error as asked for.
  const ours = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const asJson = ours.includes("--json");
  const finish = ({ text, json, jsonPieces, exitCode = 0 }: CommandResult): void => {
    const whole = asJson && !jsonPieces ? JSON.stringify(json, null, 2) : null;
    const out = whole ?? (asJson && jsonPieces ? jsonPieces() : text);
    if (typeof out === "string") process.stdout.write(out === "" ? "" : `${out}\n`);
    else {
      for (const piece of out) process.stdout.write(piece);
      process.stdout.write("\n");
    }
    process.exitCode = exitCode;
  };

  try {
    const program = createProgram(contextOf, finish);
    await program.parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    if (error === null) return;
    const known =
      error instanceof FactoryError
        ? error
        : new FactoryError(
            "INTERNAL",
            error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error),
            {
              fix: "this is a bug in Factory: please report it, with the command that was run",
            },
          );
    if (asJson) process.stdout.write(`${JSON.stringify(errorJson(known), null, 2)}\n`);
    else
      process.stderr.write(
        `${errorText(known, paletteOf(takesColor(process.stderr, !ours.includes("--no-color"))))}\n`,
      );
    process.exitCode = known.exitCode;
  }
}
