import { endianness } from "node:os";
import { crc32 } from "node:zlib";

/**
 * A table as one file: a header line, and for each column which of its distinct values each row has. So a question is put to
 * each distinct value once, and a value is parsed only if it is asked for. Each column has a checksum, which is compared when
 * the column is first used: the columns that a question does not need cost nothing.
 *
 * `<JSON of the header, with its CRC-32>\n`, then per column: a code per row and the end of each value's text (both as 32-bit
 * numbers of this machine), and the texts, each JSON.
 */
export interface Columns {
  rows: number;
  /** @throws DamagedColumns if its bytes are not what was written, or if there is no such column */
  column: (name: string) => Column;
}

export interface Column {
  /** By row, which value it has. */
  codes: Uint32Array;
  /** How many distinct values there are. */
  distinct: number;
  /** The value of a code. */
  value: (code: number) => unknown;
}

/** A file that is not what was written, and has to be made anew. */
export class DamagedColumns extends Error {}

type Part = [name: string, distinct: number, bytes: number, crc: number];

/** The first line of a file: what it is about, and the parts that follow. */
interface Header {
  about: unknown;
  order: string;
  rows: number;
  parts: Part[];
}

const WORD = 4;
const CRC_LENGTH = 8;
const NEWLINE = 0x0a;

function padded(length: number): number {
  return Math.ceil(length / WORD) * WORD;
}

function crcHex(data: string): string {
  return crc32(data).toString(16).padStart(CRC_LENGTH, "0");
}

/** A column's bytes, and the number of its distinct values. */
function partOf(values: Iterable<unknown>, rows: number): { bytes: Buffer; distinct: number } {
  const codes = new Uint32Array(rows);
  const known = new Map<string, number>();
  let row = 0;
  for (const value of values) {
    const text = JSON.stringify(value);
    let code = known.get(text);
    if (code === undefined) known.set(text, (code = known.size));
    codes[row] = code;
    row += 1;
  }
  const ends = new Uint32Array(known.size);
  let end = 0;
  let at = 0;
  for (const text of known.keys()) ends[at++] = end += Buffer.byteLength(text);
  const texts = Buffer.alloc(padded(end));
  texts.write([...known.keys()].join(""));
  return {
    bytes: Buffer.concat([Buffer.from(codes.buffer), Buffer.from(ends.buffer), texts]),
    distinct: known.size,
  };
}

/**
 * @param about what a reader has to ask for to get it
 * @param columns by name, a value per row
 */
export function columnFile(
  about: unknown,
  rows: number,
  columns: Readonly<Record<string, Iterable<unknown>>>,
): Buffer {
  const parts = Object.entries(columns).map(([name, values]) => ({ name, ...partOf(values, rows) }));
  const header: Header = {
    about,
    order: endianness(),
    rows,
    parts: parts.map(({ name, distinct, bytes }) => [name, distinct, bytes.length, crc32(bytes)]),
  };
  const line = JSON.stringify(header);
  const whole = `${line}${crcHex(line)}`;
  // The parts begin at a whole word.
  const head = Buffer.alloc(padded(Buffer.byteLength(whole) + 1), " ");
  head.write(whole);
  head[head.length - 1] = NEWLINE;
  return Buffer.concat([head, ...parts.map(({ bytes }) => bytes)]);
}

function headerIn(bytes: Buffer): { header: Header; end: number } | undefined {
  const newline = bytes.indexOf(NEWLINE);
  const text = bytes.toString("utf8", 0, Math.max(newline, 0)).trimEnd();
  const line = text.slice(0, -CRC_LENGTH);
  if (line === "" || text.slice(-CRC_LENGTH) !== crcHex(line)) return undefined;
  return { header: JSON.parse(line) as Header, end: newline + 1 };
}

function columnIn(bytes: Buffer, rows: number, [, distinct, , crc]: Part): Column {
  if (crc32(bytes) !== crc) throw new DamagedColumns("a checksum differs");
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

/**
 * @returns what was asked for when the file was written, and its columns; undefined if the header is not what was written
 */
export function openColumns(bytes: Buffer): { about: unknown; columns: Columns } | undefined {
  const found = headerIn(bytes);
  if (!found || found.header.order !== endianness()) return undefined;
  const { about, rows, parts } = found.header;
  const places = new Map<string, [from: number, part: Part]>();
  let from = found.end;
  for (const part of parts) {
    places.set(part[0], [from, part]);
    from += part[2];
  }
  if (from !== bytes.length) return undefined;
  const used = new Map<string, Column>();
  return {
    about,
    columns: {
      rows,
      column: (name) => {
        const known = used.get(name);
        if (known) return known;
        const [at, part] = places.get(name) ?? [];
        if (at === undefined || !part) throw new DamagedColumns(`there is no column ${name}`);
        const column = columnIn(bytes.subarray(at, at + part[2]), rows, part);
        used.set(name, column);
        return column;
      },
    },
  };
}
