import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { join, relative, sep } from "node:path";
import { FactoryError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import { quoted, visible } from "../model/visible.ts";

/** The largest document or Dockerfile.hbs, in bytes. */
const FILE_LIMIT = 1024 * 1024;

const REASONS: Record<string, { code: ErrorCode; what: string }> = {
  ENOENT: { code: "FILE_MISSING", what: "there is no such file" },
  ENOTDIR: { code: "FILE_MISSING", what: "there is no such file" },
  EACCES: { code: "FILE_UNREADABLE", what: "is not readable by this user" },
  EPERM: { code: "FILE_UNREADABLE", what: "is not readable by this user" },
  ELOOP: { code: "FILE_UNREADABLE", what: "is a symbolic link in a loop" },
  ENAMETOOLONG: { code: "FILE_UNREADABLE", what: "has a name that is too long" },
};

function refuse(code: ErrorCode, file: string, what: string, fix?: string, cause?: unknown): FactoryError {
  return new FactoryError(code, `${quoted(file)}: ${what}`, { where: { file: visible(file) }, fix, cause });
}

function unreadable(file: string, cause: unknown): FactoryError {
  const errno = (cause as NodeJS.ErrnoException).code ?? "";
  const reason = REASONS[errno] ?? {
    code: "FILE_UNREADABLE" as const,
    what: `cannot be read (${errno || String(cause)})`,
  };
  return refuse(reason.code, file, reason.what, undefined, cause);
}

/** The real path of something in the workspace. @throws FactoryError FILE_MISSING, FILE_UNREADABLE, FILE_OUTSIDE */
function realInside(root: string, file: string): string {
  let real: string;
  try {
    real = realpathSync.native(join(root, file));
  } catch (cause) {
    throw unreadable(file, cause);
  }
  if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return real;
  throw refuse(
    "FILE_OUTSIDE",
    file,
    "leads out of the workspace",
    "replace the link with a copy of what it leads to",
  );
}

/**
 * The path of a workspace's folder from the root, with links resolved: a build follows no links on the way to a file.
 * @throws FactoryError FILE_MISSING, FILE_UNREADABLE, FILE_OUTSIDE
 */
export function realFolder(root: string, folder: string): string {
  const real = relative(root, realInside(root, folder)).split(sep).join("/");
  if (/^[A-Za-z0-9._@+/-]+$/.test(real)) return real;
  throw refuse(
    "FILE_UNREADABLE",
    folder,
    `leads to ${quoted(real)}, a name that cannot be used in a Dockerfile`,
    "rename what it leads to: use only letters, digits and . _ @ + -",
  );
}

function checkStats(file: string, stats: Stats): void {
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? "a folder" : "a device, pipe or socket";
    throw refuse("FILE_UNREADABLE", file, `is ${kind}, not a regular file`);
  }
  if (stats.size > FILE_LIMIT) throw tooLarge(file, `${stats.size} bytes`);
}

function tooLarge(file: string, size: string): FactoryError {
  return refuse(
    "FILE_TOO_LARGE",
    file,
    `has ${size}; the limit is ${FILE_LIMIT}`,
    "split it, or remove what does not belong there",
  );
}

/** Reads at most one byte past the limit, however much the file grows meanwhile. */
function readBounded(file: string, real: string): Buffer {
  // If a pipe took the file's place after the check, opening it must not block.
  const descriptor = openSync(
    real,
    constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0),
  );
  try {
    const stats = fstatSync(descriptor);
    checkStats(file, stats);
    const buffer = Buffer.allocUnsafe(Math.min(stats.size, FILE_LIMIT) + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > stats.size)
      throw refuse("FILE_UNREADABLE", file, "changed while it was read", "run the command again");
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The text of a regular file of the workspace, without its byte order mark.
 * @param root real path of the workspace
 * @param file relative to it, with `/`; made of checked names only
 * @throws FactoryError FILE_MISSING, FILE_UNREADABLE, FILE_OUTSIDE, FILE_TOO_LARGE
 */
export function readText(root: string, file: string): string {
  const real = realInside(root, file);
  let bytes: Buffer;
  try {
    checkStats(file, statSync(real));
    bytes = readBounded(file, real);
  } catch (cause) {
    throw cause instanceof FactoryError ? cause : unreadable(file, cause);
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0)
    throw refuse(
      "FILE_UNREADABLE",
      file,
      `has a NUL byte (byte ${zero + 1}), so it is not text`,
      "save it as UTF-8 text",
    );
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse("FILE_UNREADABLE", file, "is not UTF-8 text", "save it as UTF-8", cause);
  }
}

export interface FolderItem {
  name: string;
  /** What it is after following links; `other` for pipes, devices and dangling links. */
  kind: "file" | "folder" | "other";
}

function kindOf(path: string): FolderItem["kind"] {
  try {
    const stats = statSync(path);
    return stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  } catch {
    return "other";
  }
}

/**
 * The items of a folder of the workspace, sorted by name; none if there is no such folder.
 * @throws FactoryError FILE_UNREADABLE, FILE_OUTSIDE
 */
export function listFolder(root: string, folder: string): FolderItem[] {
  try {
    const real = realInside(root, folder);
    return readdirSync(real, { withFileTypes: true })
      .map((item): FolderItem => {
        if (item.isFile()) return { name: item.name, kind: "file" };
        if (item.isDirectory()) return { name: item.name, kind: "folder" };
        return { name: item.name, kind: item.isSymbolicLink() ? kindOf(join(real, item.name)) : "other" };
      })
      .sort((a, b) => compareText(a.name, b.name));
  } catch (cause) {
    const error = cause instanceof FactoryError ? cause : unreadable(folder, cause);
    if (error.code === "FILE_MISSING") return [];
    throw error;
  }
}
