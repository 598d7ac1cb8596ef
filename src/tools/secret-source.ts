import { statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { FactoryError } from "../errors.ts";
import { createMask } from "../model/mask.ts";
import type { DeclaredSource, Obtained } from "../model/secret.ts";
import { quoted } from "../model/visible.ts";
import type { Exec, ExecResult } from "./exec.ts";
import { readSecretFile, realPath, refuseSecret, secretText } from "./secret-file.ts";

/** What obtains secrets, and who they are for. */
export interface SourceDeps {
  env: Readonly<Record<string, string | undefined>>;
  exec: Exec;
  /** The workspace, absolute and real. */
  root: string;
  signal?: AbortSignal;
}

/** The largest value that Linux takes as an environment variable, in bytes, with room for its name. */
const LARGEST_VARIABLE = 127 * 1024;

/** How long a command may take. */
const COMMAND_MS = 60_000;

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-3).join(" / ").slice(0, 500);
}

/** Why a command gave no value, with the last of what it said; its output is not shown. */
function failureOf(result: ExecResult): string | undefined {
  if (result.stdout.length > LARGEST_VARIABLE) return `said more than ${LARGEST_VARIABLE} bytes`;
  const mask = createMask();
  for (const line of result.stdout.split("\n")) mask.hide(line);
  const said = lastLines(mask(result.stderr));
  const words = said === "" ? "" : `: ${said}`;
  if (result.timedOut) return `did not end within ${COMMAND_MS / 1000} s${words}`;
  if (result.exitCode !== 0) return `failed (${result.exitCode ?? "by a signal"})${words}`;
  return result.stdout.trim() === "" ? `said nothing${words}` : undefined;
}

async function fromCommand(
  name: string,
  argv: readonly string[],
  declared: DeclaredSource,
  { exec, root, signal }: SourceDeps,
): Promise<string> {
  const [program = "", ...args] = argv;
  const said = quoted(program);
  const fix = "run the command by hand in the folder of factory.yaml";
  let result: ExecResult;
  try {
    result = await exec(program, args, {
      cwd: root,
      timeoutMs: COMMAND_MS,
      signal,
      maxBytes: LARGEST_VARIABLE + 1,
    });
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== "TOOL_MISSING") throw error;
    throw refuseSecret(
      name,
      `${said} is not installed`,
      "install it, or name another source",
      declared.where,
    );
  }
  if (signal?.aborted || result.aborted)
    throw new FactoryError("INTERRUPTED", "interrupted while asking for secrets");
  const failure = failureOf(result);
  if (failure !== undefined) throw refuseSecret(name, `the command ${said} ${failure}`, fix, declared.where);
  if (result.stdout.includes("\ufffd"))
    throw refuseSecret(
      name,
      `what the command ${said} wrote is not UTF-8 text`,
      "let it write base64, and decode it where it is used",
      declared.where,
    );
  return secretText(name, `what the command ${said} wrote`, Buffer.from(result.stdout), declared).replace(
    /\r?\n$/,
    "",
  );
}

function fromVariable(
  name: string,
  variable: string,
  { where }: DeclaredSource,
  { env, root }: SourceDeps,
): string {
  const value = env[variable];
  if (value === undefined)
    throw refuseSecret(
      name,
      `$${variable} is not set`,
      `set ${variable}, or name another source in factory.local.yaml`,
      where,
    );
  if (/^(\/|~\/|\.{1,2}\/)[^\s]*$/.test(value) && isFile(value, root))
    throw refuseSecret(
      name,
      `$${variable} is the path of a file, not the value`,
      "write `file:` in place of `env:`",
      where,
    );
  return value;
}

function isFile(path: string, root: string): boolean {
  const full = path.startsWith("~/")
    ? join(homedir(), path.slice(2))
    : isAbsolute(path)
      ? path
      : join(root, path);
  try {
    return statSync(full).isFile();
  } catch {
    return false;
  }
}

/**
 * Obtains a value from its source.
 * @param name for messages, such as "the secret `pip_index`"
 * @throws FactoryError SECRET_MISSING for what the environment lacks or that is no value, FILE_OUTSIDE, INTERRUPTED
 */
export async function obtainSecret(
  name: string,
  declared: DeclaredSource,
  deps: SourceDeps,
): Promise<Obtained> {
  const { source, where } = declared;
  let value: string;
  let path: string | null = null;
  if (source.file !== undefined) {
    path = realPath(name, source.file, declared, deps.root);
    value = secretText(
      name,
      quoted(source.file),
      readSecretFile(name, source.file, path, declared),
      declared,
    );
  } else if (source.command !== undefined) value = await fromCommand(name, source.command, declared, deps);
  else value = fromVariable(name, source.env ?? "", declared, deps);
  if (value.trim() === "") throw refuseSecret(name, "its value is empty", "give it a value", where);
  if (Buffer.byteLength(value) <= LARGEST_VARIABLE) return { value, path: null };
  if (path !== null) return { value, path };
  throw refuseSecret(
    name,
    `its value has more than ${LARGEST_VARIABLE} bytes, which only a file may have`,
    "write it to a file, and name that with `file:`",
    where,
  );
}
