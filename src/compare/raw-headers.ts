import { createHash } from "node:crypto";
import type { Header } from "tar-stream";

const BLOCK = 512;
const PAX = 0x78;
/** Types of headers in front of one that they belong to: of pax, and of GNU's long names. */
const IN_FRONT = new Set([PAX, 0x67, 0x4b, 0x4c]);
const ATTRIBUTE = /^(SCHILY|LIBARCHIVE)\.xattr\./;

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** Extended attributes in the data of a pax header: `LENGTH KEY=VALUE\n`, of which a value may have any bytes. */
function attributesIn(data: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < data.length;) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(data.toString("latin1", at, space));
    if (!Number.isSafeInteger(length) || length <= 0) break;
    const record = data.subarray(space + 1, at + length);
    if (ATTRIBUTE.test(record.toString("latin1", 0, 64))) found.push(record);
    at += length;
  }
  return found;
}

/** The extended attributes that the headers in front of an entry give it: those of the last pax header. */
function attributesOf(headers: Buffer): Buffer[] {
  let found: Buffer[] = [];
  for (let at = 0; at + BLOCK <= headers.length;) {
    const type = headers[at + 156] ?? 0;
    const size = IN_FRONT.has(type) ? Number.parseInt(headers.toString("latin1", at + 124, at + 136), 8) : 0;
    if (type === PAX) found = attributesIn(headers.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + padded(Number.isSafeInteger(size) ? size : 0);
  }
  return found;
}

/**
 * Keeps the bytes of a tar's headers while it is read: the parser gives values as text, in which bytes that are no text all look
 * alike, and values of attributes such as capabilities are no text.
 */
export function createRawHeaders() {
  let pieces: { at: number; bytes: Uint8Array }[] = [];
  /** Where the next piece starts, and where the next headers do. */
  let end = 0;
  let from = 0;
  return {
    /** Takes the next bytes, before the parser gets them. */
    take: (bytes: Uint8Array): void => {
      if (end + bytes.length > from) pieces.push({ at: end, bytes });
      end += bytes.length;
    },
    /** A hash over the extended attributes of an entry that the parser has come to; empty without any. */
    attributes: ({ byteOffset = 0, size, type }: Header & { byteOffset?: number }): string => {
      const parts = pieces.map(({ at, bytes }) => {
        return bytes.subarray(Math.max(0, from - at), Math.max(0, byteOffset - at));
      });
      const attributes = attributesOf(Buffer.concat(parts)).sort((a, b) => Buffer.compare(a, b));
      from = byteOffset + (type === "directory" ? 0 : padded(size ?? 0));
      pieces = pieces.filter(({ at, bytes }) => at + bytes.length > from);
      if (attributes.length === 0) return "";
      const hash = createHash("sha256");
      for (const one of attributes) hash.update(`${one.length} `).update(one);
      return hash.digest("base64");
    },
  };
}
