import { closeSync, constants, fstatSync, fsyncSync, openSync, writeSync } from "node:fs";
import { writing } from "./refused.ts";

/**
 * Appends text to a regular file in one write, so that it stays together even when several processes append. A link is
 * not followed, and no file is created.
 * @param durable whether it is on the disk when this returns
 * @returns whether all of it was written; a full disk may take only a part
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
