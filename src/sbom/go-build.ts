import type { Seeker } from "./seeker.ts";

/** debug/buildinfo in Go's standard library: a header of 32 bytes, on an address that 16 divides. */
const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
const HEADER = 32;
const ALIGNED = 16;
/** The strings themselves follow the header, as Go writes it since 1.18. */
const INLINE = 2;
/** The module text has 16 bytes before it, and as many behind it. */
const SENTINEL = 16;

const LONGEST_VERSION = 256;
/** Kubernetes has less than a tenth of that. */
const LONGEST_MODULES = 1 << 20;

/** An unsigned LEB128 number; null if it is not complete. */
function varint(bytes: Buffer, start: number): { value: number; end: number } | null {
  let value = 0;
  for (let at = start; at < start + 5; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return null;
}

/** Where the two strings are; null if these are not build information. */
function layOut(bytes: Buffer, at: number) {
  if (((bytes[at + MAGIC.length + 1] ?? 0) & INLINE) === 0) return null;
  const version = varint(bytes, at + HEADER);
  if (!version || version.value > LONGEST_VERSION) return null;
  const text = bytes.toString("utf8", version.end, version.end + version.value);
  if (!/^(?:go\d|devel)/.test(text)) return null;
  const modules = varint(bytes, version.end + version.value);
  if (!modules || modules.value > LONGEST_MODULES) return null;
  return { version: text, from: modules.end, to: modules.end + modules.value };
}

/** Go's build information, as every program has it that Go 1.18 or newer built; older ones keep it elsewhere. */
export const seekGoBuild: Seeker = {
  needles: [MAGIC],
  measure: (window, at, offset) => {
    const found = offset % ALIGNED === 0 ? layOut(window, at) : null;
    return found ? found.to - at : 0;
  },
  read: (bytes) => {
    const found = layOut(bytes, 0);
    if (!found || found.to > bytes.length) return null;
    const { version, from, to } = found;
    const framed = to - from > 2 * SENTINEL && bytes[to - SENTINEL - 1] === "\n".charCodeAt(0);
    const modules = framed ? bytes.toString("utf8", from + SENTINEL, to - SENTINEL) : "";
    return { go: { version, modules } };
  },
};
