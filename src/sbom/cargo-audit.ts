import { constants, deflateRawSync, inflateSync } from "node:zlib";
import type { Seeker } from "./seeker.ts";

/*
 * cargo-auditable compresses its JSON with zlib into a section of its own (.dep-v0). Which bytes that section has is only
 * written at the end of a program, which goes by as a stream: so each place is looked at that could be the start of such a
 * text. Nearly all others fail in the first few bits.
 */

/** The first bytes of zlib's format (RFC 1950) at each level, with the usual window. */
const NEEDLES = [0x01, 0x5e, 0x9c, 0xda].map((flags) => Buffer.from([0x78, flags]));

const START = '{"packages":[';
/** Real ones have a hundredth of that. */
const MOST_PACKED = 1 << 20;
const MOST_UNPACKED = 4 << 20;
/** So much is unpacked to see how a text starts. */
const HEAD = 1024;

/** How the text begins where it has no Huffman tree of its own; the first bit says whether this is its last block. */
const FIXED = deflateRawSync(Buffer.from(START), { strategy: constants.Z_FIXED }).subarray(0, 10);

/** In which order a block gives the lengths of the codes for lengths of codes (RFC 1951, 3.2.7): as many as it has. */
const MOST_CODES = 19;

/** Whether the codes of a block with Huffman trees of its own are complete: random bytes hardly ever are. */
function hasTree(bytes: Buffer, start: number): boolean {
  let bit = start * 8 + 3;
  const take = (count: number) => {
    let value = 0;
    for (let at = 0; at < count; at += 1, bit += 1)
      value |= (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) << at;
    return value;
  };
  if (take(5) > 29 || take(5) > 29) return false;
  const codes = take(4) + 4;
  let sum = 0;
  for (let at = 0; at < Math.min(codes, MOST_CODES); at += 1) {
    const length = take(3);
    if (length > 0) sum += 1 << (7 - length);
  }
  return sum === 1 << 7;
}

/** Whether a deflated text may start here as it has to. */
function mayStart(bytes: Buffer, at: number): boolean {
  const kind = ((bytes[at] ?? 0) >> 1) & 3;
  if (kind === 0) return bytes.toString("latin1", at + 5, at + 5 + START.length) === START;
  if (kind === 1) return FIXED.subarray(1, -2).equals(bytes.subarray(at + 1, at + FIXED.length - 2));
  return kind === 2 && hasTree(bytes, at);
}

function inflated(bytes: Buffer, most: number): string {
  try {
    return inflateSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: most }).toString(
      "utf8",
    );
  } catch {
    return "";
  }
}

export const seekCargoAudit: Seeker = {
  needles: NEEDLES,
  measure: (window, at) => {
    if (!mayStart(window, at + 2)) return 0;
    // What unpacks to more is a run of one byte, and not what is sought.
    return inflated(window.subarray(at, at + HEAD), 64 * HEAD).startsWith(START) ? MOST_PACKED : 0;
  },
  read: (bytes) => {
    const audit = inflated(bytes, MOST_UNPACKED);
    try {
      JSON.parse(audit);
      return { audit };
    } catch {
      return null;
    }
  },
};
