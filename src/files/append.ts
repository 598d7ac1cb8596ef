import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { writing } from "./refused.ts";

/**
 * Adds text to the end of a regular file in one write, so that it stays together when several processes do. A link is not
 * followed, and nothing is made.
 * @returns whether all of it was written: a full disk takes less
 * @throws FactoryError WRITE_FAILED
 */
export function appendTo(file: string, text: string): boolean {
  return writing(file, () => {
    const descriptor = openSync(
      file,
      constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    try {
      if (!fstatSync(descriptor).isFile()) return false;
      return writeSync(descriptor, text) === Buffer.byteLength(text);
    } finally {
      closeSync(descriptor);
    }
  });
}
