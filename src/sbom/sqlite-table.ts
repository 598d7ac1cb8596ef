/*
 * The rows of one table of an SQLite database (sqlite.org/fileformat2.html): no more than a package database needs. A page is
 * read at most once, so that a database that leads round in circles ends.
 */

const MAGIC = "SQLite format 3\0";
const FILE_HEADER = 100;
const LEAF = 13;
const INTERIOR = 5;
const LONGEST_ROW = 64 << 20;

export const isSqlite = (bytes: Buffer): boolean => bytes.toString("latin1", 0, MAGIC.length) === MAGIC;

/** A big-endian number of up to nine bytes, seven bits each. */
function varint(bytes: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start; at < start + 8; at += 1) {
    const byte = bytes.readUInt8(at);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return { value: value * 256 + bytes.readUInt8(start + 8), end: start + 9 };
}

/** The values of a record: bytes, numbers of up to six bytes, null for all others. */
function valuesOf(record: Buffer): (Buffer | number | null)[] {
  const header = varint(record, 0);
  const values: (Buffer | number | null)[] = [];
  let body = header.value;
  for (let at = header.end; at < header.value;) {
    const { value: type, end } = varint(record, at);
    at = end;
    if (type >= 12) {
      const length = Math.floor((type - 12) / 2);
      values.push(record.subarray(body, body + length));
      body += length;
    } else if (type >= 1 && type <= 6) {
      const length = [0, 1, 2, 3, 4, 6, 8][type] ?? 0;
      values.push(length <= 6 ? record.readIntBE(body, length) : null);
      body += length;
    } else {
      values.push(type === 8 ? 0 : type === 9 ? 1 : null);
      if (type === 7) body += 8;
    }
  }
  return values;
}

/**
 * The rows of a table.
 * @throws Error if the database is damaged where it is read
 */
export function* rowsOfTable(bytes: Buffer, table: string): Generator<(Buffer | number | null)[]> {
  if (!isSqlite(bytes)) throw new Error("it is no SQLite database");
  const stored = bytes.readUInt16BE(16);
  const size = stored === 1 ? 65536 : stored;
  const usable = size - bytes.readUInt8(20);
  if (size < 512 || usable < 480) throw new Error("its pages are too small");
  const seen = new Set<number>();
  const page = (number: number): Buffer => {
    if (seen.has(number)) throw new Error("its pages lead round in circles");
    seen.add(number);
    const found = bytes.subarray((number - 1) * size, number * size);
    if (number < 1 || found.length < size) throw new Error("a page is missing");
    return found;
  };

  /** The bytes of a leaf's cell, with those on its overflow pages. */
  const payload = (leaf: Buffer, start: number): Buffer => {
    const length = varint(leaf, start);
    const at = varint(leaf, length.end).end;
    if (length.value > LONGEST_ROW) throw new Error("a row is too long");
    const most = usable - 35;
    if (length.value <= most) return leaf.subarray(at, at + length.value);
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = least + ((length.value - least) % (usable - 4));
    const local = fitting <= most ? fitting : least;
    const pieces = [leaf.subarray(at, at + local)];
    let left = length.value - local;
    for (let next = leaf.readUInt32BE(at + local); left > 0;) {
      const overflow = page(next);
      next = overflow.readUInt32BE(0);
      pieces.push(overflow.subarray(4, 4 + Math.min(left, usable - 4)));
      left -= usable - 4;
    }
    return Buffer.concat(pieces);
  };

  function* rows(root: number): Generator<(Buffer | number | null)[]> {
    const pending = [root];
    for (let number = pending.pop(); number !== undefined; number = pending.pop()) {
      const one = page(number);
      const head = number === 1 ? FILE_HEADER : 0;
      const type = one.readUInt8(head);
      if (type !== LEAF && type !== INTERIOR) throw new Error("a page is of another kind");
      const cells = one.readUInt16BE(head + 3);
      const first = head + (type === LEAF ? 8 : 12);
      const places = Array.from({ length: cells }, (_, at) => one.readUInt16BE(first + 2 * at));
      if (type === LEAF) for (const at of places) yield valuesOf(payload(one, at));
      else pending.push(one.readUInt32BE(head + 8), ...places.map((at) => one.readUInt32BE(at)).reverse());
    }
  }

  for (const [type, name, , root] of rows(1)) {
    if (String(type) !== "table" || String(name) !== table || typeof root !== "number") continue;
    yield* rows(root);
    return;
  }
  throw new Error(`it has no table ${table}`);
}
