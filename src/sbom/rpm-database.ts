import { isSqlite, rowsOfTable } from "./sqlite-table.ts";

/** The headers in rpm's database, one a package, as rpm stores them. Each form of the database has its own reader. */

const NDB = "RpmP";
const NDB_PAGE = 4096;
const NDB_SLOT = 16;
const NDB_BLOCK = 16;

/** rpm's own form (lib/backend/ndb/rpmpkg.c): slots that name blocks. */
function* ndbHeaders(bytes: Buffer): Generator<Buffer> {
  const end = bytes.readUInt32LE(12) * NDB_PAGE;
  for (let at = 2 * NDB_SLOT; at + NDB_SLOT <= Math.min(end, bytes.length); at += NDB_SLOT) {
    if (bytes.toString("latin1", at, at + 4) !== "Slot" || bytes.readUInt32LE(at + 4) === 0) continue;
    const start = bytes.readUInt32LE(at + 8) * NDB_BLOCK;
    if (bytes.toString("latin1", start, start + 4) !== "BlbS") throw new Error("a blob is missing");
    const length = bytes.readUInt32LE(start + 12);
    yield bytes.subarray(start + 16, start + 16 + length);
  }
}

const BDB_HASH = 0x061561;
const BDB_PAGE_HEADER = 26;
const BDB_HASH_PAGES = [2, 13];
const BDB_OVERFLOW = 7;
const BDB_OFF_PAGE = 3;

/** A hash of Berkeley DB (dbinc/db_page.h), little-endian: pages of keys and values, whose long values are chains of pages. */
function* bdbHeaders(bytes: Buffer): Generator<Buffer> {
  const size = bytes.readUInt32LE(20);
  if (size < 512 || size > 65536) throw new Error("its pages have no sound size");
  const seen = new Set<number>();
  const chain = (first: number, length: number): Buffer => {
    const pieces: Buffer[] = [];
    let left = length;
    for (let number = first; number !== 0 && left > 0;) {
      if (seen.has(number)) throw new Error("its pages lead round in circles");
      seen.add(number);
      const page = bytes.subarray(number * size, (number + 1) * size);
      if (page.length < size || page.readUInt8(25) !== BDB_OVERFLOW) throw new Error("a page is missing");
      const piece = page.subarray(BDB_PAGE_HEADER, BDB_PAGE_HEADER + Math.min(left, size - BDB_PAGE_HEADER));
      pieces.push(piece);
      left -= piece.length;
      number = page.readUInt32LE(16);
    }
    return Buffer.concat(pieces);
  };
  for (let start = size; start + size <= bytes.length; start += size) {
    const page = bytes.subarray(start, start + size);
    if (!BDB_HASH_PAGES.includes(page.readUInt8(25))) continue;
    const entries = Math.min(page.readUInt16LE(20), (size - BDB_PAGE_HEADER) / 2);
    // Keys and values take turns; a package's header is never short enough to stand in the page itself.
    for (let at = 1; at < entries; at += 2) {
      const place = page.readUInt16LE(BDB_PAGE_HEADER + 2 * at);
      if (place + 12 > size || page.readUInt8(place) !== BDB_OFF_PAGE) continue;
      yield chain(page.readUInt32LE(place + 4), page.readUInt32LE(place + 8));
    }
  }
}

/** @throws Error if the database is damaged, or of no known form */
export function* rpmHeaders(bytes: Buffer): Generator<Buffer> {
  if (isSqlite(bytes)) {
    for (const [, header] of rowsOfTable(bytes, "Packages")) if (Buffer.isBuffer(header)) yield header;
  } else if (bytes.toString("latin1", 0, 4) === NDB) yield* ndbHeaders(bytes);
  else if (bytes.length >= 512 && bytes.readUInt32LE(12) === BDB_HASH) yield* bdbHeaders(bytes);
  else throw new Error("it has no known form");
}
