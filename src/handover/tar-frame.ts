/*
 * A tar as Factory writes it: regular files only, in one way. So a reader need not understand any other: it makes the header
 * that a name and a size have, and compares all of its bytes. Nothing can hide in one.
 */

const BLOCK = 512;

/** The largest size that fits as octal digits: 8 GiB - 1. */
const MOST_OCTAL = 8 ** 11 - 1;

/** What ends a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

export const HEADER_BYTES = BLOCK;

/** The header of a file. @param name at most 100 bytes of ASCII; @param size in bytes */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  if (!/^[ -~]{1,100}$/.test(name) || !Number.isSafeInteger(size) || size < 0)
    throw new Error(`no header for ${name} of ${size} bytes`);
  header.write(name, 0, "latin1");
  header.write("0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  if (size <= MOST_OCTAL) header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  else {
    // As GNU's tar and Go's library write it: the first bit is set, and the rest is a number.
    header.writeBigUInt64BE(BigInt(size), 128);
    header[124] = 0x80;
  }
  header.write("00000000000\0", 136, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\u000000", 257, "latin1");
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** The size that a header says; null if it says none. */
export function sizeIn(header: Buffer): number | null {
  const [, digits] = /^([0-7]{11})\0$/.exec(header.toString("latin1", 124, 136)) ?? [];
  return digits === undefined ? null : Number.parseInt(digits, 8);
}

/** How many zero bytes follow a file. */
export function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** A file of a tar. */
export interface TarFile {
  name: string;
  /** bytes */
  size: number;
  /** Its bytes: as many as its size says. */
  pieces: () => AsyncIterable<Uint8Array>;
}

/** How large a tar of files is, in bytes. */
export function tarSize(files: readonly Pick<TarFile, "size">[]): number {
  return files.reduce((total, { size }) => total + BLOCK + size + paddingAfter(size), TAR_END.length);
}

/** Files as a tar, a piece at a time. The same files give the same bytes. */
export async function* tarOf(files: readonly TarFile[]): AsyncGenerator<Uint8Array, void> {
  for (const { name, size, pieces } of files) {
    yield tarHeader(name, size);
    let left = size;
    for await (const piece of pieces()) {
      left -= piece.length;
      yield piece;
    }
    if (left !== 0) throw new Error(`${name} has not the ${size} bytes that it was to have`);
    const padding = paddingAfter(size);
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield TAR_END;
}
