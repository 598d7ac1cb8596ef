import { chmodSync } from "node:fs";
import { writeWhole } from "./write-whole.ts";

/** Writes a file that anyone may read and execute, whatever the umask, and nobody may write. @throws FactoryError WRITE_FAILED */
export function writeScript(file: string, text: string): void {
  writeWhole(file, text, false);
  chmodSync(file, 0o555);
}
