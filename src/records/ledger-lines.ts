/** What a ledger says about one record. */
export interface LedgerEntry {
  record_id: string;
  /** Of the record's file, 64 hex digits. */
  sha256: string;
  /** 64 hex digits. If the record is missing, the newest verdict on this key is in doubt. */
  verdict_key: string;
}

/** An earlier ledger, as far as a new one has seen it. */
export interface LedgerHead {
  ledger: string;
  bytes: number;
  /** Over this many bytes from its beginning, 64 hex digits. */
  sha256: string;
}

/** The contents of a ledger. */
export interface LedgerLines {
  heads: LedgerHead[];
  /** Records that were about to be written. */
  entries: LedgerEntry[];
  /** Ids of those that were written whole. */
  done: Set<string>;
  /** Bytes of whole lines: a killed process may have left part of another line. */
  bytes: number;
}

const SCHEMA = "factory/ledger";
const VERSION = 1;
const ID = 36;
const HEX = 64;
const PUT = '{"put":"';
const SHA256 = '","sha256":"';
const KEY = '","verdict_key":"';
const DONE = '{"done":"';
const END = '"}\n';

/** The first line of a ledger. */
export function headerLine(manifestId: string, heads: readonly LedgerHead[]): string {
  return `${JSON.stringify({ schema: SCHEMA, version: VERSION, manifest_id: manifestId, heads })}\n`;
}

/** Says that a record is about to be written. */
export function putLine({ record_id, sha256, verdict_key }: LedgerEntry): string {
  return `${PUT}${record_id}${SHA256}${sha256}${KEY}${verdict_key}${END}`;
}

/** Says that a record was written. */
export function doneLine(recordId: string): string {
  return `${DONE}${recordId}${END}`;
}

function headsOf(line: string, manifestId: string): LedgerHead[] | null {
  try {
    const header = JSON.parse(line) as {
      schema?: unknown;
      version?: unknown;
      manifest_id?: unknown;
      heads?: LedgerHead[];
    } | null;
    const ours = header?.schema === SCHEMA && header.version === VERSION && header.manifest_id === manifestId;
    const sound = ({ ledger, bytes, sha256 }: LedgerHead) =>
      typeof ledger === "string" && Number.isSafeInteger(bytes) && typeof sha256 === "string";
    return ours && Array.isArray(header.heads) && header.heads.every(sound) ? header.heads : null;
  } catch {
    return null;
  }
}

/**
 * Lines have fixed widths: a hundred thousand are read without parsing JSON.
 * @param text one character per byte
 * @returns null if a whole line does not belong in a ledger
 */
export function readLines(text: string, manifestId: string): LedgerLines | null {
  const first = text.indexOf("\n");
  const heads = first < 0 ? null : headsOf(text.slice(0, first), manifestId);
  if (!heads) return null;
  const entries: LedgerEntry[] = [];
  const done = new Set<string>();
  let at = first + 1;
  for (let end = text.indexOf("\n", at); end >= 0; end = text.indexOf("\n", at)) {
    const width = end + 1 - at;
    if (
      text.startsWith(PUT, at) &&
      width === PUT.length + ID + SHA256.length + HEX + KEY.length + HEX + END.length
    ) {
      const id = at + PUT.length;
      const sha256 = id + ID + SHA256.length;
      const key = sha256 + HEX + KEY.length;
      entries.push({
        record_id: text.slice(id, id + ID),
        sha256: text.slice(sha256, sha256 + HEX),
        verdict_key: text.slice(key, key + HEX),
      });
    } else if (text.startsWith(DONE, at) && width === DONE.length + ID + END.length) {
      done.add(text.slice(at + DONE.length, at + DONE.length + ID));
    } else return null;
    at = end + 1;
  }
  return { heads, entries, done, bytes: at };
}
