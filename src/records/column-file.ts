import { endianness } from "node:os";
import { crc32 } from "node:zlib";

/*
 * A table as one file, in chunks of rows. Of each column a chunk has the distinct values, and which of them each row has. So a
 * question is put to each distinct value once, a value is parsed only if it is asked for, and what a question does not need is
 * not even read. Each part has a checksum, which is compared when the part is first used.
 *
 *   <length of the header, 8 hex digits><header, JSON><its CRC-32>
 *   per column and chunk: a code per row, the end of each value's text (both as 32-bit numbers of this machine), the texts, each JSON
 */

/** Bytes that a table is read from. */
export interface ByteSource {
  size: number;
  /** Some of the bytes; undefined if they can no longer be had. */
  read: (from: number, length: number) => Buffer | undefined;
}

export interface Columns {
  rows: number;
  chunks: readonly Chunk[];
  /** The value that a row has in a column. @throws DamagedColumns */
  valueAt: (name: string, row: number) => unknown;
}

/** Some rows, one after the other. */
export interface Chunk {
  /** The first row. */
  from: number;
  rows: number;
  /** @throws DamagedColumns if its bytes are not what was written, or if there is no such column */
  column: (name: string) => Column;
}

interface Column {
  /** Which value each row of the chunk has. */
  codes: Uint32Array;
  /** How many distinct values there are. */
  distinct: number;
  /** The value of a code. */
  value: (code: number) => unknown;
}

/** A file that is not what was written, and has to be made anew. */
export class DamagedColumns extends Error {}

type Part = [distinct: number, bytes: number, crc: number];

interface Header {
  about: unknown;
  order: string;
  rows: number;
  chunk: number;
  /** By column, each chunk's. */
  parts: Record<string, Part[]>;
}

/** Rows in a chunk. */
const CHUNK = 4096;
const WORD = 4;
const HEX = 8;
/** No header is longer: that of millions of rows is not. */
const MOST_HEADER = 1 << 26;

const hex = (number: number) => number.toString(16).padStart(HEX, "0");

/** A column's part of a chunk. */
function partOf(values: readonly unknown[]): { bytes: Buffer; distinct: number } {
  const codes = new Uint32Array(values.length);
  const known = new Map<string, number>();
  for (const [row, value] of values.entries()) {
    const text = JSON.stringify(value);
    let code = known.get(text);
    if (code === undefined) known.set(text, (code = known.size));
    codes[row] = code;
  }
  const texts = [...known.keys()];
  let end = 0;
  const ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
  const bytes = Buffer.concat([
    Buffer.from(codes.buffer),
    Buffer.from(ends.buffer),
    Buffer.from(texts.join("")),
  ]);
  return { bytes, distinct: known.size };
}

/**
 * @param about what a reader has to ask for to get it
 * @param columns by name, a value per row
 */
export function columnFile(
  about: unknown,
  rows: number,
  columns: Readonly<Record<string, readonly unknown[]>>,
): Buffer {
  const bodies: Buffer[] = [];
  const parts = Object.fromEntries(
    Object.entries(columns).map(([name, values]) => {
      const own: Part[] = [];
      for (let from = 0; from < rows; from += CHUNK) {
        const { bytes, distinct } = partOf(values.slice(from, from + CHUNK));
        bodies.push(bytes);
        own.push([distinct, bytes.length, crc32(bytes)]);
      }
      return [name, own];
    }),
  );
  const header: Header = { about, order: endianness(), rows, chunk: CHUNK, parts };
  const line = Buffer.from(JSON.stringify(header));
  return Buffer.concat([Buffer.from(hex(line.length)), line, Buffer.from(hex(crc32(line))), ...bodies]);
}

function headerIn({ size, read }: ByteSource): { header: Header; end: number } | undefined {
  if (size < 2 * HEX) return undefined;
  const start = read(0, HEX)?.toString("latin1") ?? "";
  const length = /^[0-9a-f]{8}$/.test(start) ? parseInt(start, 16) : MOST_HEADER;
  if (length >= MOST_HEADER || size < length + 2 * HEX) return undefined;
  const whole = read(HEX, length + HEX);
  const line = whole?.subarray(0, length);
  if (!line || whole?.toString("latin1", length) !== hex(crc32(line))) return undefined;
  return { header: JSON.parse(line.toString("utf8")) as Header, end: length + 2 * HEX };
}

function columnIn(bytes: Buffer | undefined, rows: number, [distinct, , crc]: Part): Column {
  if (!bytes || crc32(bytes) !== crc) throw new DamagedColumns("a part differs");
  const words = (from: number, count: number) =>
    new Uint32Array(bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + from + count * WORD));
  const codes = words(0, rows);
  const ends = words(rows * WORD, distinct);
  const texts = (rows + distinct) * WORD;
  return {
    codes,
    distinct,
    value: (code) =>
      JSON.parse(
        bytes.toString("utf8", texts + (code === 0 ? 0 : (ends[code - 1] ?? 0)), texts + (ends[code] ?? 0)),
      ) as unknown,
  };
}

/** Bytes that are all in memory. */
export function fromMemory(bytes: Buffer): ByteSource {
  return { size: bytes.length, read: (from, length) => bytes.subarray(from, from + length) };
}

/** @returns what the file is about, and its columns; undefined if the header is not what was written, or the size is not */
export function openColumns(source: ByteSource): { about: unknown; columns: Columns } | undefined {
  const found = headerIn(source);
  if (!found || found.header.order !== endianness()) return undefined;
  const { about, rows, chunk, parts } = found.header;
  /** Where each part begins, by column and chunk. */
  const places = new Map<string, number[]>();
  let end = found.end;
  for (const [name, own] of Object.entries(parts)) {
    const starts: number[] = [];
    for (const [, bytes] of own) {
      starts.push(end);
      end += bytes;
    }
    places.set(name, starts);
  }
  if (end !== source.size) return undefined;
  const chunks = Array.from({ length: Math.ceil(rows / chunk) }, (_, at): Chunk => {
    const used = new Map<string, Column>();
    const own = Math.min(chunk, rows - at * chunk);
    return {
      from: at * chunk,
      rows: own,
      column: (name) => {
        const known = used.get(name);
        if (known) return known;
        const part = parts[name]?.[at];
        const from = places.get(name)?.[at];
        if (!part || from === undefined) throw new DamagedColumns(`there is no column ${name}`);
        const column = columnIn(source.read(from, part[1]), own, part);
        used.set(name, column);
        return column;
      },
    };
  });
  return {
    about,
    columns: {
      rows,
      chunks,
      valueAt: (name, row) => {
        const own = chunks[Math.floor(row / chunk)];
        if (!own) throw new RangeError(`there is no row ${row}`);
        const { codes, value } = own.column(name);
        return value(codes[row - own.from] ?? 0);
      },
    },
  };
}
