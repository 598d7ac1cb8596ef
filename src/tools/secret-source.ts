import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import { FactoryError } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import { createMask } from "../model/mask.ts";
import type { DeclaredSource, Obtained } from "../model/secret.ts";
import { quoted } from "../model/visible.ts";
import type { Exec, ExecResult } from "./exec.ts";

/** The largest secret that BuildKit takes, in bytes. */
const LARGEST = 500 * 1024;

/** The largest value that Linux takes as an environment variable, in bytes, with room for its name. */
const LARGEST_VARIABLE = 127 * 1024;

/** How long a command may take. */
const COMMAND_MS = 60_000;

/** What obtains secrets, and who they are for. */
export interface SourceDeps {
  env: Readonly<Record<string, string | undefined>>;
  exec: Exec;
  /** The workspace, absolute and real. */
  root: string;
  signal?: AbortSignal;
}

/** @param name of the value, as in "the secret `pip_index`" */
function refuse(name: string, what: string, fix: string, where: DeclaredSource["where"]): FactoryError {
  return new FactoryError("SECRET_MISSING", `${name}: ${what}`, { where, fix });
}

/** The real path of a file that a source names. @throws FactoryError FILE_OUTSIDE, SECRET_MISSING */
function realPath(name: string, file: string, { mayLeave, where }: DeclaredSource, root: string): string {
  const isOwn = !isAbsolute(file) && !file.startsWith("~/");
  const path = file.startsWith("~/") ? join(homedir(), file.slice(2)) : isOwn ? join(root, file) : file;
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const why =
      code === "ENOENT" || code === "ENOTDIR" ? "there is no such file" : `it cannot be read (${code})`;
    throw refuse(name, `${quoted(file)}: ${why}`, "put the file there, or correct its path", where);
  }
  if (isOwn && !mayLeave && real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new FactoryError("FILE_OUTSIDE", `${name}: ${quoted(file)} leads out of the workspace`, {
      where,
      fix: "write it as an absolute path or with `~/`, or put it into factory.local.yaml",
    });
  }
  return real;
}

/** The bytes of a regular file; a pipe or a device is refused and never waited for. */
function readFile(name: string, file: string, real: string, { where }: DeclaredSource): Buffer {
  let read: { bytes: Buffer } | undefined;
  try {
    if (statSync(real).size > LARGEST)
      throw refuse(
        name,
        `${quoted(file)} has more than ${LARGEST / 1024} KiB`,
        "BuildKit takes no larger secret",
        where,
      );
    read = readRegular(real, LARGEST);
  } catch (error) {
    if (error instanceof FactoryError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw refuse(name, `${quoted(file)} cannot be read (${code})`, "make it readable", where);
  }
  if (read) return read.bytes;
  throw refuse(name, `${quoted(file)} is not a regular file`, "name a file that holds the value", where);
}

/** @throws FactoryError SECRET_MISSING for bytes that are no text */
function textOf(name: string, from: string, bytes: Uint8Array, { where }: DeclaredSource): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuse(
      name,
      `${from} is not UTF-8 text`,
      "encode it as base64, and decode it where it is used",
      where,
    );
  }
  if (!text.includes("\0")) return text;
  throw refuse(name, `${from} has a NUL byte`, "encode it as base64, and decode it where it is used", where);
}

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
    throw refuse(name, `${said} is not installed`, "install it, or name another source", declared.where);
  }
  if (signal?.aborted || result.aborted)
    throw new FactoryError("INTERRUPTED", "interrupted while asking for secrets");
  const failure = failureOf(result);
  if (failure !== undefined) throw refuse(name, `the command ${said} ${failure}`, fix, declared.where);
  if (result.stdout.includes("\ufffd"))
    throw refuse(
      name,
      `what the command ${said} wrote is not UTF-8 text`,
      "let it write base64, and decode it where it is used",
      declared.where,
    );
  return textOf(name, `what the command ${said} wrote`, Buffer.from(result.stdout), declared).replace(
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
    throw refuse(
      name,
      `$${variable} is not set`,
      `set ${variable}, or name another source in factory.local.yaml`,
      where,
    );
  if (/^(\/|~\/|\.{1,2}\/)[^\s]*$/.test(value) && isFile(value, root))
    throw refuse(
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
    value = textOf(name, quoted(source.file), readFile(name, source.file, path, declared), declared);
  } else if (source.command !== undefined) value = await fromCommand(name, source.command, declared, deps);
  else value = fromVariable(name, source.env ?? "", declared, deps);
  if (value.trim() === "") throw refuse(name, "its value is empty", "give it a value", where);
  if (Buffer.byteLength(value) <= LARGEST_VARIABLE) return { value, path: null };
  if (path !== null) return { value, path };
  throw refuse(
    name,
    `its value has more than ${LARGEST_VARIABLE} bytes, which only a file may have`,
    "write it to a file, and name that with `file:`",
    where,
  );
}

/**
 * The socket of an agent, or the key, that a source names.
 * @throws FactoryError as obtainSecret
 */
export function obtainSsh(name: string, declared: DeclaredSource, { env, root }: SourceDeps): Obtained {
  const { source, where } = declared;
  const variable = source.env;
  const file = variable === undefined ? source.file : env[variable];
  if (file === undefined || file === "")
    throw refuse(
      name,
      `$${variable} is not set`,
      "start an agent (`ssh-agent`), or name a key with `file:`",
      where,
    );
  const real = realPath(
    name,
    file,
    variable === undefined ? declared : { ...declared, mayLeave: true },
    root,
  );
  if (real.includes(","))
    throw refuse(
      name,
      `${quoted(real)} has a comma`,
      "BuildKit's client takes it for two paths: rename it",
      where,
    );
  const stats = statSync(real);
  if (stats.isSocket()) return { value: "", path: real };
  const from = variable === undefined ? quoted(file) : `what $${variable} names`;
  const key = textOf(name, from, readFile(name, from, real, declared), declared);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    throw refuse(
      name,
      `${from} is neither the socket of an agent nor a private key`,
      "name one of these",
      where,
    );
  const body = Buffer.from(key.replace(/-----[^-]*-----/g, ""), "base64");
  if (key.includes("ENCRYPTED") || body.includes("bcrypt"))
    throw refuse(
      name,
      `${from} is locked by a passphrase`,
      "add it to an agent (`ssh-add`), and use that",
      where,
    );
  return { value: key, path: real };
}
