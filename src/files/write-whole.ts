import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import writeFileAtomic from "write-file-atomic";
import { makeWay } from "./make-way.ts";
import { writing } from "./refused.ts";

/**
 * Writes a file whole or not at all: a temporary file in the same folder, fsync, rename, then fsync of the folder.
 * The folder is made if it is missing. A link to a file stays, and the file that it leads to is replaced.
 * @param durable false leaves out fsync, for what can be made again at any time
 * @throws FactoryError WRITE_FAILED, for a full disk or a folder that is not writable
 */
export function writeWhole(file: string, data: string | Uint8Array, durable = true): void {
  writing(file, () => {
    makeWay(dirname(file));
    writeFileAtomic.sync(file, typeof data === "string" ? data : Buffer.from(data), {
      fsync: durable,
      mode: 0o644,
    });
    if (!durable) return;
    const folder = openSync(dirname(file), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  });
}
