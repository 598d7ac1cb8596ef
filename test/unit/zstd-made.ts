/** Parts of zstd streams (RFC 8878) made by hand: no encoder is at hand everywhere. */

const RLE_BLOCK = 128 << 10;

function block(
  type: "raw" | "rle" | "compressed",
  size: number,
  content: Uint8Array,
  isLast = false,
): Buffer {
  const head = (size << 3) | (["raw", "rle", "compressed"].indexOf(type) << 1) | (isLast ? 1 : 0);
  return Buffer.concat([Buffer.from([head & 255, (head >> 8) & 255, head >> 16]), content]);
}

/** A frame with a window of 2 to the power of `window` bytes, and no checksum. */
export function frame(blocks: readonly Buffer[], window = 17): Buffer {
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3]), ...blocks]);
}

/** A frame with a text as it is, of at most 128 KiB. */
export const plainFrame = (text: string): Buffer =>
  frame([block("raw", Buffer.byteLength(text), Buffer.from(text), true)]);

/** A frame that decoders skip. */
export function skippable(bytes: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(bytes, 4);
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}

/** How long a match of `farFrame` is. */
export const MATCH = 131;

/**
 * A frame of a text, many dots, and then what is so many blocks of 128 KiB before: the first bytes of the text. The match has as many
 * other bits behind it as there can be, so that a decoder that reads 32 bits at once loses those of a large offset.
 */
export function farFrame(text: string, blocks: number, window = 27): Buffer {
  const offset = Buffer.byteLength(text) + blocks * RLE_BLOCK;
  const code = Math.floor(Math.log2(offset + 3));
  const bits = (BigInt(offset + 3 - 2 ** code) | (1n << BigInt(code))) << 7n;
  const sequence: number[] = [];
  for (let rest = bits; rest > 0n; rest >>= 8n) sequence.push(Number(rest & 255n));
  // No literals, one sequence, and of each kind of code one alone: no literal, the offset's, and 43, a match from 131 bytes on.
  const match = Buffer.from([0, 1, 0b01010100, 0, code, 43, ...sequence]);
  const dots = block("rle", RLE_BLOCK, Buffer.from("."));
  return frame(
    [
      block("raw", Buffer.byteLength(text), Buffer.from(text)),
      ...Array.from({ length: blocks }, () => dots),
      block("compressed", match.length, match, true),
    ],
    window,
  );
}
