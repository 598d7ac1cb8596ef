import { crc32 } from "node:zlib";

/*
 * A line of a derived file: a JSON array in ASCII, whose last field is a CRC-32 of the text before it. So it is known of each line
 * whether it is what was written, before any of it is parsed.
 *
 * `["<field>",…,"<crc>"]`
 */

/** `xxxxxxxx"]` at the end of a line. */
export const TAIL = 10;

function crcText(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

/** A line with its end. */
export function checkedLine(fields: readonly unknown[]): string {
  const ascii = JSON.stringify(fields).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const body = `${ascii.slice(0, -1)},"`;
  return `${body}${crcText(Buffer.from(body, "latin1"))}"]\n`;
}

/** Whether a line is what was written. @param end of the line, without its line break */
export function isSound(bytes: Buffer, start: number, end: number): boolean {
  if (end - TAIL < start) return false;
  return bytes.toString("latin1", end - TAIL, end) === `${crcText(bytes.subarray(start, end - TAIL))}"]`;
}
