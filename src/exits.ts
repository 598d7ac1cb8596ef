import { setMaxListeners } from "node:events";
import { FactoryError } from "./errors.ts";

/** What the operating system refuses or runs out of; any other unexpected error is a bug of ours. */
const REFUSALS = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "ELOOP",
  "ENAMETOOLONG",
  "E2BIG",
]);

/** Anything that was thrown, as an error of ours: itself, a refusal of the operating system, or a bug of ours. */
export function errorFor(thrown: unknown): FactoryError {
  if (thrown instanceof FactoryError) return thrown;
  if (thrown instanceof Error) {
    const { code, syscall } = thrown as NodeJS.ErrnoException;
    if (code !== undefined && syscall !== undefined && REFUSALS.has(code)) {
      return new FactoryError("SYSTEM_REFUSED", `the operating system refused: ${thrown.message}`, {
        fix: "free what it names, raise the limit, or grant the permission",
        cause: thrown,
      });
    }
  }
  const what = thrown instanceof Error ? (thrown.stack ?? thrown.message) : JSON.stringify(thrown);
  return new FactoryError("INTERNAL", what ?? String(thrown), {
    fix: "this is a bug in Factory: please report it, with the command that was run",
  });
}

/** The current folder. @throws FactoryError FOLDER_GONE where it was deleted */
export function workingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new FactoryError("FOLDER_GONE", "the current folder was deleted", {
      fix: "change to a folder that exists",
      cause,
    });
  }
}

/**
 * Ends the process properly if its output cannot be written: quietly if the reader of stdout has gone, as with `head`;
 * with 3 if stdout is full. What stderr cannot take is dropped: a run still has to remove its containers.
 */
export function guardStreams(): void {
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
    process.stderr.write(
      `error WRITE_FAILED: cannot write to stdout: ${error.message}\n  fix: make room there, or send stdout elsewhere\n`,
    );
    process.exit(3);
  });
}

/** Fires at the first SIGINT, SIGTERM or SIGHUP; a second one ends the process at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  // Every cell and every running program listens to it.
  setMaxListeners(0, controller.signal);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write("\ninterrupted: ending containers and builds (again to end at once)\n");
      controller.abort();
    });
  }
  return controller.signal;
}
