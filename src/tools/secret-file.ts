import { realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, sep } from "node:path";
import { FactoryError } from "../errors.ts";
import { readRegular } from "../files/read-regular.ts";
import type { DeclaredSource } from "../model/secret.ts";
import { quoted } from "../model/visible.ts";

/** The largest secret that BuildKit takes, in bytes. */
const LARGEST = 500 * 1024;

/** @param name of the value, as in "the secret `pip_index`" */
export function refuseSecret(
  name: string,
  what: string,
  fix: string,
  where: DeclaredSource["where"],
): FactoryError {
  return new FactoryError("SECRET_MISSING", `${name}: ${what}`, { where, fix });
}

/** The real path of a file that a source names. @throws FactoryError FILE_OUTSIDE, SECRET_MISSING */
export function realPath(
  name: string,
  file: string,
  { mayLeave, where }: DeclaredSource,
  root: string,
): string {
  const isOwn = !isAbsolute(file) && !file.startsWith("~/");
  const path = file.startsWith("~/") ? join(homedir(), file.slice(2)) : isOwn ? join(root, file) : file;
  let real: string;
  try {
    real = realpathSync.native(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const why =
      code === "ENOENT" || code === "ENOTDIR" ? "there is no such file" : `it cannot be read (${code})`;
    throw refuseSecret(name, `${quoted(file)}: ${why}`, "put the file there, or correct its path", where);
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
export function readSecretFile(name: string, file: string, real: string, { where }: DeclaredSource): Buffer {
  let read: { bytes: Buffer } | undefined;
  try {
    if (statSync(real).size > LARGEST)
      throw refuseSecret(
        name,
        `${quoted(file)} has more than ${LARGEST / 1024} KiB`,
        "BuildKit takes no larger secret",
        where,
      );
    read = readRegular(real, LARGEST);
  } catch (error) {
    if (error instanceof FactoryError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "";
    throw refuseSecret(name, `${quoted(file)} cannot be read (${code})`, "make it readable", where);
  }
  if (read) return read.bytes;
  throw refuseSecret(
    name,
    `${quoted(file)} is not a regular file`,
    "name a file that holds the value",
    where,
  );
}

/** @throws FactoryError SECRET_MISSING for bytes that are no text */
export function secretText(name: string, from: string, bytes: Uint8Array, { where }: DeclaredSource): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refuseSecret(
      name,
      `${from} is not UTF-8 text`,
      "encode it as base64, and decode it where it is used",
      where,
    );
  }
  if (!text.includes("\0")) return text;
  throw refuseSecret(
    name,
    `${from} has a NUL byte`,
    "encode it as base64, and decode it where it is used",
    where,
  );
}
