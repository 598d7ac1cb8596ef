import type { Duplex } from "node:stream";
import type { execa } from "execa";
import { FactoryError } from "../errors.ts";

export interface ExecOptions {
  cwd?: string;
  /** Added to the process's own environment. */
  env?: Record<string, string>;
  /** Written to standard input, which is empty by default. */
  input?: string | Uint8Array;
  /** Ends the child (SIGTERM, then SIGKILL after five seconds). */
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Called for each whole line of stdout, without its newline; stdout is then not collected. */
  onStdoutLine?: (line: string) => void;
  /** Called for each whole line of stderr, without its newline; stderr is then not collected. */
  onStderrLine?: (line: string) => void;
  /** How much of each output is collected, in bytes; the rest is dropped. Default: 16 MiB. */
  maxBytes?: number;
}

export interface ExecResult {
  /** null if a signal ended the child, or if it timed out. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  aborted: boolean;
}

/** Runs a program with an argv array, never through a shell. A non-zero exit is a result, not an exception. */
export type Exec = (file: string, argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** How a missing program is reported, by name. */
const MISSING: Record<string, { code: "DOCKER_MISSING" | "TOOL_MISSING"; fix: string }> = {
  docker: {
    code: "DOCKER_MISSING",
    fix: "install Docker Engine with the buildx plugin, and put `docker` on the PATH",
  },
};

function missing(file: string, cause: unknown): FactoryError {
  const { code, fix } = MISSING[file] ?? {
    code: "TOOL_MISSING" as const,
    fix: `install ${file} and put it on the PATH`,
  };
  return new FactoryError(code, `${file} is not installed`, { fix, cause });
}

function start(run: typeof execa, file: string, argv: readonly string[], options: ExecOptions) {
  return run(file, argv, {
    cwd: options.cwd,
    env: options.env,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    cancelSignal: options.signal,
    timeout: options.timeoutMs,
    forceKillAfterDelay: 5000,
    reject: false,
    stripFinalNewline: false,
    buffer: {
      stdout: options.onStdoutLine === undefined,
      stderr: options.onStderrLine === undefined,
    },
    maxBuffer: options.maxBytes ?? 16 * 1024 * 1024,
  });
}

type Child = ReturnType<typeof start>;

async function eachLine(
  child: Child,
  from: "stdout" | "stderr",
  onLine: (line: string) => void,
): Promise<void> {
  for await (const line of child.iterable({ from })) onLine(String(line));
}

async function finish(file: string, child: Child, options: ExecOptions): Promise<ExecResult> {
  const readers: Promise<void>[] = [];
  if (options.onStdoutLine) readers.push(eachLine(child, "stdout", options.onStdoutLine));
  if (options.onStderrLine) readers.push(eachLine(child, "stderr", options.onStderrLine));
  const [result, ...read] = await Promise.allSettled([child, ...readers]);
  if (result.status === "rejected") throw result.reason;
  const { value } = result;
  if (value.code === "ENOENT") throw missing(file, value.cause);
  for (const one of read) if (one.status === "rejected" && !value.failed) throw one.reason;
  return {
    exitCode: value.exitCode ?? null,
    stdout: typeof value.stdout === "string" ? value.stdout : "",
    stderr: typeof value.stderr === "string" ? value.stderr : "",
    timedOut: value.timedOut,
    aborted: value.isCanceled,
  };
}

/** Runs a program to its end. @throws FactoryError DOCKER_MISSING or TOOL_MISSING if there is no such program */
export const exec: Exec = async (file, argv, options = {}) => {
  const { execa: run } = await import("execa");
  return finish(file, start(run, file, argv, options), options);
};

/** Starts a program as a two-way stream: writing goes to its stdin, reading comes from its stdout. It ends with the stream. */
export async function execDuplex(file: string, argv: readonly string[]): Promise<Duplex> {
  const { execa: run } = await import("execa");
  const child = run(file, argv, { stderr: "ignore", reject: false, buffer: false });
  return child.duplex();
}
