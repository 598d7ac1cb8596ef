import { closeSync, constants, fstatSync, fsyncSync, openSync, writeSync } from "node:fs";
import { writing } from "./refused.ts";

/**
 * Adds text to the end of a regular file in one write, so that it stays together when several processes do. A link is not
 * followed, and nothing is made.
 * @param durable whether it is on the disk when this returns
 * @returns whether all of it was written: a full disk takes less
 * @throws FactoryError WRITE_FAILED
 */
export function appendTo(file: string, text: string, durable = false): boolean {
  return writing(file, () => {
    const descriptor = openSync(
      file,
      constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    );
    try {
      if (!fstatSync(descriptor).isFile()) return false;
      const whole = writeSync(descriptor, text) === Buffer.byteLength(text);
      if (durable) fsyncSync(descriptor);
      return whole;
    } finally {
      closeSync(descriptor);
    }
  });
}
