import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FactoryError } from "../errors.ts";

function failed(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  return new FactoryError("WRITE_FAILED", `cannot write ${path}: ${error.message}`, {
    fix: "make room on the disk, or make the folder writable",
    cause: error,
  });
}

/** What a file holds; undefined where it cannot be read: then it is written anew. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Brings files of a folder that is there up to what they should be, each whole or not at all. */
function updateFolder(folder: string, fill: (write: (name: string, text: string) => void) => void): void {
  const old = new Set(readdirSync(folder));
  fill((name, text) => {
    const path = join(folder, name);
    if (!old.has(name) || contentOf(path) !== text) writePieces(path, [text]);
  });
}

/** Makes a folder, and puts it into its place when all its files are written. */
function makeFolder(folder: string, fill: (write: (name: string, text: string) => void) => void): void {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const prefix = `${made}/`;
    fill((name, text) => writeFileSync(prefix + name, text));
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Has a folder hold the files that `fill` writes by name, beside what others wrote there; a file that is as it should be is left
 * alone. They can be made again at any time: nothing is synced to the disk. No file is ever half-written.
 * @throws FactoryError WRITE_FAILED
 */
export function fillFolder(
  folder: string,
  fill: (write: (name: string, text: string) => void) => void,
): void {
  try {
    if (existsSync(folder)) updateFolder(folder, fill);
    else makeFolder(folder, fill);
  } catch (error) {
    throw failed(folder, error);
  }
}

/**
 * Writes a file from pieces of text, whole or not at all: to a temporary file beside it, then renamed. Not synced.
 * @throws FactoryError WRITE_FAILED
 */
export function writePieces(file: string, pieces: Iterable<string>): void {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}`);
  let made = false;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const handle = openSync(temporary, "w", 0o644);
    made = true;
    try {
      for (const piece of pieces) {
        const bytes = Buffer.from(piece);
        for (let at = 0; at < bytes.length; at += writeSync(handle, bytes, at));
      }
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    if (made) rmSync(temporary, { force: true });
    throw failed(file, error);
  }
}
