import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { FactoryError } from "../errors.ts";

/**
 * Writes a file whole or not at all: a temporary file in the same folder, fsync, rename, then fsync of the folder.
 * @throws FactoryError WRITE_FAILED, for a full disk or a folder that may not be written
 */
export function writeWhole(file: string, data: string | Uint8Array): void {
  try {
    writeFileAtomic.sync(file, typeof data === "string" ? data : Buffer.from(data), { fsync: true, mode: 0o644 });
    const folder = openSync(dirname(file), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new FactoryError("WRITE_FAILED", `cannot write ${file}: ${text}`, {
      fix: "make room on the disk, or make the folder writable",
      cause: error,
    });
  }
}
